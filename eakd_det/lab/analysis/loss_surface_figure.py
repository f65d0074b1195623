"""Picture of loss surfaces, side by side on one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from eakd_det.lab.analysis.figures import new_figure
from eakd_det.lab.analysis.loss_surface import LossSurface

_CAPTION = (
    'Training loss of the detector (no distillation loss) on a plane of two random directions through its '
    'weights, which are at the cross; the directions are the same in all panels, and as long as the filters. '
    'Colours are on one logarithmic scale. Inside the white line the loss is at most {level:.3g}; a larger area '
    'means flatter surroundings. A panel without a line is entirely inside; a wider span would show the edge. '
    'This is one plane of very many, so small differences mean nothing.'
)


def draw_surfaces(surfaces: Mapping[str, LossSurface], level: float) -> Figure:
    """Draw a panel for each surface, with the area inside ``level``."""
    figure, (panels,) = new_figure(
        'Loss surface', _CAPTION.format(level=level), columns=len(surfaces), panel=(4.4, 3.9), sharex=True, sharey=True
    )
    finite = np.concatenate([surface.losses[np.isfinite(surface.losses)] for surface in surfaces.values()])
    low, high = float(finite.min()), float(np.quantile(finite, 0.98))
    norm = LogNorm(low, max(high, 1.01 * low))
    levels = np.geomspace(low, max(high, 1.01 * low), 16)
    filled = None
    for axes, (name, surface) in zip(panels, surfaces.items(), strict=True):
        shown = np.clip(surface.losses, low, None)
        shown = np.where(np.isfinite(shown), shown, finite.max())
        filled = axes.contourf(
            surface.axis, surface.axis, shown, levels=levels, norm=norm, cmap='viridis', extend='max'
        )
        if shown.min() < level < shown.max():
            axes.contour(surface.axis, surface.axis, shown, levels=[level], colors='white', linewidths=1.6)
        axes.plot(0, 0, 'x', color='white', markersize=8)
        area = f'{"at least " if surface.is_saturated(level) else ""}{surface.area(level):.2f}'
        axes.set_title(f'{name}: loss {surface.centre:.3f}, area {area}', fontsize=10.5)
        axes.set_xlabel('direction 1 (filter norms)')
        axes.set_aspect('equal')
    panels[0].set_ylabel('direction 2 (filter norms)')
    if filled is not None:
        ticks = np.geomspace(levels[0], levels[-1], 5)
        bar = figure.colorbar(filled, ax=list(panels), shrink=0.85, pad=0.02, ticks=ticks)
        bar.ax.set_yticklabels([f'{tick:.2g}' for tick in ticks])
        bar.ax.minorticks_off()
        bar.set_label('training loss (log scale)')
    return figure

"""RoI embeddings in the plane, and the separation of the classes in them (EA-KD, Fig. 6, on proposals)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.manifold import TSNE
from sklearn.metrics import calinski_harabasz_score
from sklearn.preprocessing import StandardScaler

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.figures import new_figure
from eakd_det.lab.analysis.proposal_table import ProposalTable
from eakd_det.plurals import counted

_CAPTION = (
    'Each point is a proposal, placed by t-SNE of its RoI embedding and coloured by its class; axes have no unit, '
    'only neighbourhoods matter. Rings mark the {share:.0%} with the largest weight: they should lie between the '
    'clusters, where classes meet. CH is the Calinski-Harabasz index of the classes in the embedding itself, not '
    'in the plane: larger means more compact and further apart. Compare it only on the same proposals and for '
    'embeddings of the same width.'
)
_FEWEST = 10


def choose_rows(table: ProposalTable, count: int, with_background: bool, seed: int) -> np.ndarray:
    """Return the rows of at most ``count`` proposals, all of foreground unless ``with_background``.

    With background, as many of its proposals as of the largest class are taken; all would cover the map.

    Raises:
        ConfigError: If there are too few proposals, or fewer than two classes.
    """
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(table.is_foreground)
    if with_background:
        largest = int(np.bincount(table.labels[rows], minlength=1).max())
        others = np.flatnonzero(~table.is_foreground)
        rows = np.concatenate([rows, rng.choice(others, min(len(others), largest), replace=False)])
    if len(rows) > count:
        rows = rng.choice(rows, count, replace=False)
    if len(rows) < _FEWEST or len(np.unique(table.labels[rows])) < 2:
        raise ConfigError(
            f'--images: expected {_FEWEST} proposals of two classes or more, but got {len(rows)}; take more'
        )
    return np.sort(rows)


def class_separation(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """Compute the Calinski-Harabasz index of the classes: spread between over spread within, per degree of freedom.

    Each dimension is first scaled to variance 1, so that none dominates.

    Example:
        >>> points = np.array([[0.0], [2.0], [10.0], [12.0]])
        >>> round(class_separation(points, np.array([0, 0, 1, 1])), 6)
        50.0
    """
    return float(calinski_harabasz_score(StandardScaler().fit_transform(embeddings), labels))


def project(embeddings: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return positions ``(n, 2)`` by t-SNE of embeddings with variance 1 in each dimension."""
    perplexity = min(30.0, (len(embeddings) - 1) / 3)
    model = TSNE(perplexity=perplexity, init='pca', random_state=seed)
    return np.asarray(model.fit_transform(StandardScaler().fit_transform(embeddings)))


def map_embeddings(
    table: ProposalTable, weights: np.ndarray, rows: np.ndarray, share: float = 0.1, seed: int = 0
) -> dict[str, Any]:
    """Return positions and indices of the proposals in ``rows`` for both networks, and the heaviest of them.

    Args:
        table: Proposals with embeddings.
        weights: ``(N,)``.
        rows: Rows of the proposals.
        share: Fraction to mark as heaviest.
        seed: Seed of t-SNE.
    """
    heaviest = np.zeros(len(rows), bool)
    heaviest[np.argsort(-weights[rows], kind='stable')[: max(1, round(share * len(rows)))]] = True
    sides = {}
    for side, embeddings in (('teacher', table.teacher_embeddings), ('student', table.student_embeddings)):
        if embeddings is not None:
            own = embeddings[rows]
            sides[side] = dict(
                calinski_harabasz=class_separation(own, table.labels[rows]),
                positions=project(own, seed).round(3).tolist(),
            )
    return dict(
        labels=table.labels[rows].tolist(), weights=weights[rows].round(5).tolist(), heaviest=heaviest.tolist(), **sides
    )


def draw_map(result: dict[str, Any], classes: list[str], share: float, tau: float) -> Figure:
    """Draw a panel for each network."""
    sides = [side for side in ('teacher', 'student') if side in result]
    title = f"RoI embeddings, and the heaviest proposals at T' = {tau:g}"
    figure, (panels,) = new_figure(title, _CAPTION.format(share=share), columns=len(sides), panel=(5.2, 4.6))
    labels, heaviest = np.array(result['labels']), np.array(result['heaviest'])
    for axes, side in zip(panels, sides, strict=True):
        _scatter(axes, np.array(result[side]['positions']), labels, heaviest, [*classes, 'background'])
        axes.set_title(
            f'{side}: CH {result[side]["calinski_harabasz"]:.1f}, {counted(len(labels), "proposal")}', fontsize=10.5
        )
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc='outside right center', fontsize=8.5)
    return figure


def _scatter(axes: Axes, positions: np.ndarray, labels: np.ndarray, heaviest: np.ndarray, names: list[str]) -> None:
    present = np.unique(labels)
    colours = colormaps['tab20'](np.arange(20))
    x, y = positions[:, 0], positions[:, 1]
    for number, value in enumerate(present[:20]):
        rows = labels == value
        colour = '#bbbbbb' if value == len(names) - 1 else colours[(number * 2 + number // 10) % 20]
        axes.scatter(x[rows], y[rows], s=9, color=colour, label=names[value])
    rest = np.isin(labels, present[20:])
    if rest.any():
        axes.scatter(x[rest], y[rest], s=9, color='#888888', label=f'{len(present) - 20} more classes')
    ring = axes.scatter(x[heaviest], y[heaviest], s=42, linewidths=0.8, label='heaviest')
    ring.set_facecolor('none')
    ring.set_edgecolor('black')
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel('t-SNE 1 (no unit)')
    axes.set_ylabel('t-SNE 2 (no unit)')

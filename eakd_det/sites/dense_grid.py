"""Where the sites of dense heads are, and their maps as rows.

Letters: ``B`` images, ``L`` levels, ``P`` sites in an image, ``A`` sites at a point. Rows go image by image, level by
level, row by row, anchors last, as MMDetection flattens its maps for the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Where the sites of a batch are: ``B`` images with the same maps.

    Attributes:
        images: Number of images.
        shapes: Height and width of each level's map.
        anchors: Number of sites at each point, for each level.
    """

    images: int
    shapes: tuple[tuple[int, int], ...]
    anchors: tuple[int, ...]

    @property
    def sites_per_level(self) -> list[int]:
        """The number of sites of each level in an image."""
        return [height * width * count for (height, width), count in zip(self.shapes, self.anchors, strict=True)]

    @property
    def sites_per_image(self) -> int:
        """The number of sites ``P``."""
        return sum(self.sites_per_level)


def rows(levels: Sequence[Tensor], grid: Grid) -> Tensor:
    """Flatten maps ``(B, A * width, H, W)`` to ``(B * P, width)``."""
    flat = [
        level.permute(0, 2, 3, 1).reshape(grid.images, -1, level.shape[1] // count)
        for level, count in zip(levels, grid.anchors, strict=True)
    ]
    return torch.cat(flat, dim=1).flatten(0, 1)


def box_rows(outputs: Sequence[Any], grid: Grid) -> Tensor | None:
    """Return ``(N, 4)``, or ``(N, 4, bins)`` for distributions; None where the second output is nothing of these."""
    maps = outputs[1] if len(outputs) > 1 else None
    if not isinstance(maps, Sequence) or not all(isinstance(level, Tensor) and level.dim() == 4 for level in maps):
        return None
    if len(maps) != len(grid.anchors):  # of one of two corners
        return None
    if any(level.shape[1] % (4 * count) for level, count in zip(maps, grid.anchors, strict=True)):
        return None
    flat = rows(maps, grid)
    return flat if flat.shape[1] == 4 else flat.unflatten(1, (4, -1))


def priors(head: Any, grid: Grid, device: torch.device) -> Tensor:
    """Return the anchor of each site of an image, ``(P, 4)``."""
    generator: Any = getattr(head, 'prior_generator', None)
    if generator is None:  # CenterNet and CornerNet: maps of a quarter of the image
        return torch.cat([_squares(shape, 4.0, device) for shape in grid.shapes])
    if hasattr(generator, 'base_anchors'):
        return torch.cat(generator.grid_priors(grid.shapes, device=device))
    points = torch.cat(generator.grid_priors(grid.shapes, device=device, with_stride=True))
    return torch.cat([points[:, :2] - points[:, 2:] / 2, points[:, :2] + points[:, 2:] / 2], dim=1)


def _squares(shape: tuple[int, int], stride: float, device: torch.device) -> Tensor:
    y, x = torch.meshgrid(*(torch.arange(size, device=device) * stride for size in shape), indexing='ij')
    return torch.stack([x, y, x + stride, y + stride], dim=2).flatten(0, 1)


def per_site(values: Sequence[float], grid: Grid, like: Tensor) -> Tensor:
    """Return a value of each level at each of its sites, ``(N, 1)``, with dtype and device of ``like``."""
    of_image = like.new_tensor(values).repeat_interleave(like.new_tensor(grid.sites_per_level).long())
    return of_image.repeat(grid.images).unsqueeze(1)


def places_differ(student: Any, teacher: Any) -> tuple[str, Any, Any] | None:
    """Return what makes the sites of two heads other places, and what both have; None if nothing does."""
    generators = [getattr(head, 'prior_generator', None) for head in (student, teacher)]
    for what, read in (('strides', _strides), ('anchors at each point', _anchor_counts), ('anchors', _anchors)):
        ours, theirs = map(read, generators)
        if None not in (ours, theirs) and ours != theirs:
            return what, ours, theirs
    return None


def _strides(generator: Any) -> list[int] | None:
    strides = getattr(generator, 'strides', None)
    return None if strides is None else [int(stride[0]) for stride in strides]


def _anchor_counts(generator: Any) -> list[int] | None:
    counts = getattr(generator, 'num_base_priors', None)
    return None if counts is None else list(counts)


def _anchors(generator: Any) -> list[list[int]] | None:
    """Return the anchors of the first level where a point has several; a single one only says where the point is."""
    levels = getattr(generator, 'base_anchors', None)
    return None if levels is None or len(levels[0]) == 1 else levels[0].round().int().tolist()

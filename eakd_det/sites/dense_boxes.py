"""The boxes that dense heads predict: what each kind means by its four numbers, in one table.

Letters as in :mod:`eakd_det.sites.dense_grid`. Boxes are decoded without clipping at the image's border, and
differentiably. Where a head of MMDetection returns other numbers in eval mode, those of training are meant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from eakd_det.functional._inputs import to_float
from eakd_det.sites.dense_grid import Grid, per_site, priors

Decode = Callable[[Any, Tensor, Tensor, Grid], Tensor]
"""A head, its numbers ``(N, 4)`` or ``(N, 4, bins)``, the sites' anchors ``(N, 4)`` and their grid -> corners."""


def _of_coder(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    decoded = head.bbox_coder.decode(anchors, numbers)
    return torch.as_tensor(getattr(decoded, 'tensor', decoded))


def _distances(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    """Distances of the sides in pixels or strides; of distributions the expectation, in strides."""
    if numbers.dim() == 3:
        bins = torch.arange(numbers.shape[2], dtype=numbers.dtype, device=numbers.device)
        return _distances_in_strides(head, numbers.softmax(dim=2) @ bins, anchors, grid)
    if getattr(head, 'norm_on_bbox', False):
        return _distances_in_strides(head, numbers, anchors, grid)
    return _around(anchors, numbers)


def _distances_in_strides(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    return _around(anchors, numbers * _strides(head, grid, numbers))


def _log_distances(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    """FoveaBox: logarithms of distances in units of its level's own length."""
    return _around(anchors, numbers.exp() * per_site(head.base_edge_list, grid, numbers))


def _centre_and_size(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    strides = _strides(head, grid, numbers)
    centre = _centre(anchors) + numbers[:, :2] * strides
    half = numbers[:, 2:].exp() * strides / 2
    return torch.cat([centre - half, centre + half], dim=1)


def _corners_in_strides(head: Any, numbers: Tensor, anchors: Tensor, grid: Grid) -> Tensor:
    return numbers * _strides(head, grid, numbers)


def _around(anchors: Tensor, distances: Tensor) -> Tensor:
    centre = _centre(anchors)
    return torch.cat([centre - distances[:, :2], centre + distances[:, 2:]], dim=1)


def _centre(anchors: Tensor) -> Tensor:
    return (anchors[:, :2] + anchors[:, 2:]) / 2


def _strides(head: Any, grid: Grid, like: Tensor) -> Tensor:
    return per_site([stride[0] for stride in head.prior_generator.strides], grid, like)


DECODERS: dict[str, Decode | str] = {
    'YOLOXHead': _centre_and_size,
    'FoveaHead': _log_distances,
    'TOODHead': _corners_in_strides,
    'CenterNetUpdateHead': _distances_in_strides,
    'GuidedAnchorHead': 'predicts its anchors as well',
    'CenterNetHead': 'predicts sizes and positions in different maps',
    'CornerHead': 'predicts corners apart from each other',
    'RepPointsHead': 'predicts points instead of boxes',
    'SABLRetinaHead': 'predicts buckets of box sides',
    'YOLOV3Head': 'predicts boxes and classes in one map',
}
"""By class name, the first entry among a head and its bases; a string is why there are no boxes."""
OF_CODERS: dict[str, Decode] = {
    'DeltaXYWHBBoxCoder': _of_coder,
    'LegacyDeltaXYWHBBoxCoder': _of_coder,
    'TBLRBBoxCoder': _of_coder,
    'DistancePointBBoxCoder': _distances,
}
"""For all others, by the name of the head's box coder."""


def decoder_of(head: Any) -> Decode | str:
    """Return how the boxes of ``head`` are decoded, or, as the end of a sentence, why they cannot be."""
    special = next((DECODERS[base.__name__] for base in type(head).__mro__ if base.__name__ in DECODERS), None)
    if special is not None:
        return special
    coder = type(getattr(head, 'bbox_coder', None)).__name__
    return OF_CODERS.get(coder, f'has a box coder that is not known ({coder})')


def decode(head: Any, numbers: Tensor, grid: Grid) -> Tensor:
    """Return the predicted boxes in pixels of the network's input, ``(N, 4)``; :func:`decoder_of` names a decoder."""
    decoder = decoder_of(head)
    if isinstance(decoder, str):
        raise TypeError(f'{type(head).__name__} {decoder}')
    anchors = priors(head, grid, numbers.device).repeat(grid.images, 1)
    return decoder(head, to_float(numbers), anchors, grid)

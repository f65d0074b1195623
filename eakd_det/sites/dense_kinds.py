"""What is particular to single dense heads of MMDetection: one table.

Most heads need no entry: their first output are the maps of logits, and ``_get_targets_single`` returns the labels of
an image's sites. Letters as in :mod:`eakd_det.sites.dense_grid`, and ``C`` columns of class scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

LogitMaps = Callable[[Any, Sequence[Any]], Sequence[Tensor]]
Labels = Callable[[Any, list[Any], Any, Tensor, Sequence[Any]], Tensor]


def joint_logits(class_logits: Tensor, object_logits: Tensor) -> Tensor:
    r"""Return the logit of a class *and* an object, as independent events.

    .. math:: \sigma(z) = \sigma(c)\, \sigma(o) \iff z = c + o - \log(1 + e^c + e^o)

    Example:
        >>> joint_logits(torch.zeros(1), torch.zeros(1)).sigmoid()
        tensor([0.2500])
    """
    class_logits, object_logits = torch.broadcast_tensors(class_logits, object_logits)
    both = torch.stack([torch.zeros_like(class_logits), class_logits, object_logits]).logsumexp(dim=0)
    return class_logits + object_logits - both


def _first(head: Any, outputs: Sequence[Any]) -> Sequence[Tensor]:
    return outputs[0]


def _from_probabilities(head: Any, outputs: Sequence[Any]) -> Sequence[Tensor]:
    return [torch.logit(level.float(), eps=1e-7) for level in outputs[0]]


def _with_objectness(head: Any, outputs: Sequence[Any]) -> Sequence[Tensor]:
    return [joint_logits(*pair) for pair in zip(outputs[0], outputs[2], strict=True)]


def _of_both_corners(head: Any, outputs: Sequence[Any]) -> Sequence[Tensor]:
    top_left, bottom_right = outputs[:2]  # maps of each stack of the hourglass
    return [*top_left, *bottom_right]


def _of_yolov3(head: Any, outputs: Sequence[Any]) -> Sequence[Tensor]:
    maps = [level.unflatten(1, (-1, head.num_attrib)) for level in outputs[0]]
    return [joint_logits(level[:, :, 5:], level[:, :, 4:5]).flatten(1, 2) for level in maps]


def _labels(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    """Find among the results, of images or of the whole batch, the integers of which each site has one."""
    found = [rows for result in results if (rows := _label_rows(result, grid.sites_per_image)) is not None]
    # RepPoints assigns twice, the second time for the classes.
    return torch.cat(found)[-grid.images :].flatten()


def _label_rows(result: Sequence[Any], sites: int) -> Tensor | None:
    """Return labels ``(images, P)`` from a tensor, or from one for each level."""
    for item in result:
        levels = item if isinstance(item, (list, tuple)) else [item]
        if not all(isinstance(level, Tensor) and level.dtype == torch.long for level in levels):
            continue
        images, rest = divmod(sum(level.numel() for level in levels), sites)
        if images and not rest:
            return torch.cat([level.reshape(images, -1) for level in levels], dim=1)
    return None


def _of_yolox(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    labels = torch.full((grid.images, grid.sites_per_image), head.num_classes, device=priors.device)
    for row, (is_object, targets, *_) in zip(labels, results, strict=True):
        row[is_object] = targets.argmax(dim=1)
    return labels.flatten()


def _of_yolov3_targets(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    targets = torch.cat([target for target, _ in results])
    return targets[:, 5:].argmax(dim=1).where(targets[:, 4] > 0, head.num_classes)


def _of_heatmap(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    return _peaks(results[0][0]['center_heatmap_target']).flatten()


def _of_corner_heatmaps(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    """Return the class of each corner; all stacks learn the same."""
    corners = [_peaks(results[0][f'{corner}_heatmap']) for corner in ('topleft', 'bottomright')]
    return torch.cat([labels for labels in corners for _ in range(head.num_feat_levels)], dim=1).flatten()


def _peaks(heatmap: Tensor) -> Tensor:
    """Return the class whose heatmap ``(B, K, H, W)`` is 1 at a point, or ``K``: labels, ``(B, H * W)``."""
    peak = heatmap.flatten(2).max(dim=1)
    return peak.indices.where(peak.values == 1, heatmap.shape[1])


def _of_smallest_box(head: Any, results: list[Any], grid: Any, priors: Tensor, objects: Sequence[Any]) -> Tensor:
    """Derive labels where the loss assigns softly or to bags: that of the smallest box around the site's centre."""
    centres = (priors[:, :2] + priors[:, 2:]).reshape(grid.images, -1, 1, 2) / 2
    labels = []
    for points, instances in zip(centres, objects, strict=True):
        boxes = torch.as_tensor(getattr(instances.bboxes, 'tensor', instances.bboxes))
        inside = ((points > boxes[:, :2]) & (points < boxes[:, 2:])).all(dim=2)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1).where(inside, torch.inf)
        area = torch.cat([area, area.new_full((len(area), 1), torch.finfo(area.dtype).max)], dim=1)
        classes = torch.cat([instances.labels, instances.labels.new_tensor([head.num_classes])])
        labels.append(classes[area.argmin(dim=1)])
    return torch.cat(labels)


@dataclass(frozen=True)
class DenseKind:
    """What is particular to one kind of head.

    Attributes:
        logit_maps: Returns the maps of logits, ``(B, A * C, H, W)`` for each level, from the head's outputs.
        assignment: The method that returns which objects the loss assigns to sites; None if there is none.
        labels: Returns the label of each site, ``(B * P,)``, from the results of that method, or from the sites'
            anchors and the annotated objects.
        always_sigmoid: Whether the head has no choice of softmax, and no attribute for it.
        refused: Why it cannot be distilled, as the end of a sentence; None if it can.
    """

    logit_maps: LogitMaps = _first
    assignment: str | None = '_get_targets_single'
    labels: Labels = _labels
    always_sigmoid: bool = False
    refused: str | None = None


KINDS: dict[str, DenseKind] = {
    'PAAHead': DenseKind(assignment='paa_reassign'),  # the second assignment is the one that counts
    'LADHead': DenseKind(assignment=None),  # gets the results of its own teacher's
    'DDODHead': DenseKind(assignment='get_cls_targets'),  # classes and boxes are assigned apart
    'TOODHead': DenseKind(_from_probabilities, assignment='get_targets'),
    'YOLOXHead': DenseKind(_with_objectness, labels=_of_yolox),
    'YOLOV3Head': DenseKind(_of_yolov3, labels=_of_yolov3_targets, always_sigmoid=True),
    'CenterNetHead': DenseKind(_from_probabilities, 'get_targets', _of_heatmap, always_sigmoid=True),
    'CenterNetUpdateHead': DenseKind(assignment=None, labels=_of_smallest_box),
    'AutoAssignHead': DenseKind(assignment=None, labels=_of_smallest_box),
    'FreeAnchorRetinaHead': DenseKind(assignment=None, labels=_of_smallest_box),
    'CornerHead': DenseKind(_of_both_corners, 'get_targets', _of_corner_heatmaps, always_sigmoid=True),
    'ATSSVLFusionHead': DenseKind(refused='scores words of a text'),
    'CascadeRPNHead': DenseKind(refused='has no class scores of its own'),
}
"""By class name; the first entry among a head and its bases counts."""


def kind_of(head: object) -> DenseKind:
    """Return what is particular to ``head``."""
    return next((KINDS[base.__name__] for base in type(head).__mro__ if base.__name__ in KINDS), DenseKind())

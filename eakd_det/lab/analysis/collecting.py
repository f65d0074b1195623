"""Run student and teacher over images as in a training step, and keep their predictions for the proposals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from torch import Tensor

from eakd_det.distillation import ProposalDistill, Step
from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.proposal_table import ProposalTable

Progress = Callable[[int, int, int], None]
"""Called after each batch with the numbers of images, proposals and bytes."""


def collect_proposals(
    algorithm: ProposalDistill,
    batches: Iterable[Mapping[str, Any]],
    classes: Sequence[str],
    max_images: int = 400,
    max_bytes: int = 500_000_000,
    with_embeddings: bool = False,
    progress: Progress = lambda images, proposals, size: None,
    origin: Mapping[str, Any] | None = None,
) -> ProposalTable:
    """Collect the proposals that training steps would distil, with both predictions.

    The student is in training mode: its own proposals and the ground truth are sampled for the RoI loss, and BatchNorm
    uses the batch if it does so in training. No gradient is computed and no weight changes.

    Args:
        algorithm: Student and teacher with their weights. It is left in training mode, with updated running
            statistics of BatchNorm.
        batches: Batches of a training data loader.
        classes: Names of the foreground classes.
        max_images: Stop after this number of images.
        max_bytes: Stop when the table has this size in memory.
        with_embeddings: Whether to keep RoI embeddings as well, by far the largest part.
        progress: Called after each batch.
        origin: Description of the source, kept in the table.

    Raises:
        ConfigError: If there are no proposals.
    """
    algorithm.train()
    pieces: list[dict[str, np.ndarray]] = []
    paths: list[str] = []
    proposals = size = 0
    for batch in batches:
        data = algorithm.data_preprocessor(dict(batch), training=True)
        samples = data['data_samples']
        step = algorithm.observe(data['inputs'], samples, with_embeddings)
        piece = _arrays(step, samples, len(paths), max_images)
        paths += [str(sample.metainfo.get('img_path', '')) for sample in samples][: max_images - len(paths)]
        pieces.append(piece)
        proposals += len(piece['labels'])
        size += sum(array.nbytes for array in piece.values())
        progress(len(paths), proposals, size)
        if len(paths) >= max_images or size >= max_bytes:
            break
    if not proposals:
        raise ConfigError('train_dataloader: expected images with proposals to collect, but there were none')
    arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    names = np.array(list(classes), dtype=str)
    return ProposalTable(**arrays, image_paths=np.array(paths), classes=names, origin=dict(origin or {}))


def _arrays(step: Step, samples: Sequence[DetDataSample], first_image: int, max_images: int) -> dict[str, np.ndarray]:
    """Return the rows of one batch; those of images beyond ``max_images`` are left out."""
    in_batch = step.sites.image.numpy(force=True)
    rois = np.column_stack([in_batch, step.boxes.numpy(force=True)])
    images = in_batch.astype(np.int32) + first_image
    arrays = dict(
        student_logits=_numpy(step.student.logits),
        teacher_logits=_numpy(step.teacher.logits),
        labels=step.sites.label.numpy(force=True).astype(np.int64),
        boxes=boxes_in_file(rois, [sample.metainfo for sample in samples]),
        images=images,
    )
    if step.student.embeddings is not None and step.teacher.embeddings is not None:
        arrays['student_embeddings'] = _numpy(step.student.embeddings)
        arrays['teacher_embeddings'] = _numpy(step.teacher.embeddings)
    kept = images < max_images
    return {name: array[kept] for name, array in arrays.items()}


def boxes_in_file(rois: np.ndarray, metas: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Map boxes back through resizing, flipping and cropping to pixels of the image file.

    Args:
        rois: ``(R, 5)``: image index in the batch, then x1, y1, x2, y2 in pixels of the network input.
        metas: ``homography_matrix`` of each image, as MMDetection's transforms record it; boxes without it stay.

    Returns:
        ``(R, 4)`` float32.

    Example:
        >>> flip = dict(homography_matrix=np.array([[-1, 0, 100], [0, 1, 0], [0, 0, 1]]))
        >>> boxes_in_file(np.array([[0, 10, 20, 30, 40]]), [flip]).tolist()
        [[70.0, 20.0, 90.0, 40.0]]
    """
    boxes = np.zeros((len(rois), 4), np.float32)
    for index, meta in enumerate(metas):
        rows = rois[:, 0] == index
        matrix = np.asarray(meta.get('homography_matrix', np.eye(3)), np.float64)
        corners = rois[rows][:, [[1, 2], [3, 4], [1, 4], [3, 2]]]  # (n, 4 corners, xy)
        points = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2) @ np.linalg.inv(matrix).T
        points = points[..., :2] / points[..., 2:]
        boxes[rows] = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
    return boxes


def _numpy(values: Tensor) -> np.ndarray:
    return values.numpy(force=True).astype(np.float32)

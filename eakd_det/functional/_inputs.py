"""Checks that every function starts with; they detach the teacher and compute in float32 or better."""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
from torch import Tensor

from eakd_det.errors import ConfigError

Temperature: TypeAlias = float | Tensor
"""One temperature for all rows (a number or a tensor of one element), or one for each row (``(R,)``)."""


def to_float(tensor: Tensor) -> Tensor:
    """Cast half precision to float32; return anything else unchanged."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def check_logits(logits: Tensor, name: str = 'logits', columns: int = 2) -> Tensor:
    """Return ``logits`` in float32 or better.

    Raises:
        ConfigError: Unless they are floating point, of shape ``(R, C)``, with at least ``columns`` classes.
    """
    if logits.dim() != 2 or logits.shape[1] < columns:
        raise ConfigError(
            f'{name}: expected logits of shape (R, C) with C >= {columns} classes, '
            f'but got shape {tuple(logits.shape)}; '
            'record the classifier of the box head (roi_head.bbox_head.fc_cls)'
        )
    if not logits.is_floating_point():
        raise ConfigError(f'{name}: expected floating point logits, but got {logits.dtype}')
    return to_float(logits)


def check_pair(student_logits: Tensor, teacher_logits: Tensor, columns: int = 2) -> tuple[Tensor, Tensor]:
    """Return both logits in float32 or better, the teacher's detached; their dtypes may differ.

    Raises:
        ConfigError: If either is not ``(R, C)`` floating point, or their shapes or devices differ.
    """
    student = check_logits(student_logits, 'preds_S', columns)
    teacher = check_logits(teacher_logits.detach(), 'preds_T', columns)
    if student.shape != teacher.shape:
        raise ConfigError(
            'preds_S and preds_T: expected the same sites and classes, '
            f'but got shapes {tuple(student.shape)} and {tuple(teacher.shape)}; '
            'compare the sites both are computed on and num_classes of the heads of student and teacher'
        )
    if student.device != teacher.device:
        raise ConfigError(f'preds_S and preds_T: expected one device, but got {student.device} and {teacher.device}')
    return student, teacher


def check_features(student: Tensor, teacher: Tensor, shape: str, any_width: bool = False) -> tuple[Tensor, Tensor]:
    """Return both features in float32 or better, the teacher's detached.

    Args:
        student: The student's features.
        teacher: The teacher's features.
        shape: Their expected dimensions, such as '(R, D)'.
        any_width: Whether their widths, the second dimension, may differ.

    Raises:
        ConfigError: Unless both are floating point, of the same shape with these dimensions, and on one device.
    """
    shapes = [tuple(side.shape[:1] + side.shape[2:]) if any_width else tuple(side.shape) for side in (student, teacher)]
    if not student.dim() == teacher.dim() == shape.count(',') + 1 or shapes[0] != shapes[1]:
        if any_width:
            raise ConfigError(
                f'student and teacher: expected features of the same shape {shape} up to their width, '
                f'but got {tuple(student.shape)} and {tuple(teacher.shape)}'
            )
        raise ConfigError(
            f'student and teacher: expected features of the same shape {shape}, '
            f'but got {tuple(student.shape)} and {tuple(teacher.shape)}; '
            'where the widths differ, set student_channels and teacher_channels of the loss'
        )
    if not (student.is_floating_point() and teacher.is_floating_point()):
        raise ConfigError(
            f'student and teacher: expected floating point features, but got {student.dtype} and {teacher.dtype}'
        )
    if student.device != teacher.device:
        raise ConfigError(f'student and teacher: expected one device, but got {student.device} and {teacher.device}')
    return to_float(student), to_float(teacher.detach())


def check_labels(labels: Tensor | None, logits: Tensor) -> Tensor:
    """Return ``labels`` as int64.

    The range is checked by gathering each label's logit, which needs no synchronisation and works under ``vmap`` and
    ``torch.compile``. On a GPU an index out of range stops in CUDA's own assertion.

    Raises:
        ConfigError: Unless they are integers of shape ``(R,)``, on the device of ``logits``, in ``[0, C)``.
    """
    rows, classes = logits.shape
    if labels is None:
        raise ConfigError(
            'gt_labels: expected the class of each site, but got None; add it to the loss_forward_mappings'
        )
    if labels.shape != (rows,) or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ConfigError(
            f'gt_labels: expected {rows} integers, one for each site, '
            f'but got {labels.dtype} of shape {tuple(labels.shape)}'
        )
    if labels.device != logits.device:
        raise ConfigError(f'gt_labels: expected device {logits.device} of the logits, but got {labels.device}')
    labels = labels.long()
    try:
        logits.detach().gather(1, labels.unsqueeze(1))
    except (IndexError, RuntimeError) as error:
        raise ConfigError(
            f'gt_labels: expected labels from 0 to {classes - 1}, but {error}; '
            'compare roi_head.bbox_head.num_classes with the classes of the data'
        ) from error
    return labels


def soften(logits: Tensor, tau: Temperature) -> Tensor:
    """Return ``logits / tau``; gradients reach a ``tau`` that is a tensor.

    Raises:
        ConfigError: If a number is not above 0, or a tensor has neither one element nor one for each row.
    """
    if not isinstance(tau, Tensor):
        if not 0 < tau < math.inf:
            raise ConfigError(f'tau: expected a finite number > 0, but got {tau!r}')
        return logits if tau == 1 else logits / tau
    if tau.dim() > 1 or tau.numel() not in (1, logits.shape[0]):
        raise ConfigError(
            f'tau: expected one temperature or one for each of {logits.shape[0]} sites, '
            f'but got shape {tuple(tau.shape)}'
        )
    return logits / tau.reshape(-1, 1)


def times_tau_squared(divergence: Tensor, tau: Temperature) -> Tensor:
    """Multiply by ``tau ** 2`` to restore the gradients that a softmax at ``tau`` scales down."""
    return divergence * tau**2 if isinstance(tau, Tensor) or tau != 1 else divergence

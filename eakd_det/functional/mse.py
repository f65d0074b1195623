"""Squared distance of vectors: embeddings or box deltas of sites."""

from __future__ import annotations

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import to_float


def check_vectors(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in float32 or better, the teacher's detached.

    Raises:
        ConfigError: Unless both are floating point, ``(R, D)``, and alike in shape and device.
    """
    if student.dim() != 2 or student.shape != teacher.shape:
        raise ConfigError(
            'student and teacher: expected vectors of the same shape (R, D), '
            f'but got {tuple(student.shape)} and {tuple(teacher.shape)}; '
            'where the widths differ, give the loss student_channels and teacher_channels'
        )
    if not (student.is_floating_point() and teacher.is_floating_point()):
        raise ConfigError(
            f'student and teacher: expected floating point vectors, but got {student.dtype} and {teacher.dtype}'
        )
    if student.device != teacher.device:
        raise ConfigError(f'student and teacher: expected one device, but got {student.device} and {teacher.device}')
    return to_float(student), to_float(teacher.detach())


def mse_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean squared difference of each proposal's vectors.

    .. math:: \mathrm{MSE}_n = \frac{1}{D} \sum_{d=1}^{D} (s_{nd} - t_{nd})^2

    The vectors are RoI embeddings or the box deltas of all classes. The latter is the L2 term of FCFD's detection
    code, where background sites and all 80 classes count alike, so that it is tiny.

    Args:
        student: The student's vectors, ``(R, D)``.
        teacher: The teacher's, ``(R, D)``; no gradient reaches them.

    Returns:
        Squared distances, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes, dtypes or devices do not fit.

    Example:
        >>> import torch
        >>> mse_divergence(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]))
        tensor([2.])
    """
    student, teacher = check_vectors(student, teacher)
    return (student - teacher).square().mean(dim=1)

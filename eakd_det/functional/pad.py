"""Prime-aware adaptive distillation: squared distance in units of a learned variance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eakd_det.functional._inputs import check_features, to_float


def pad_divergence(
    student: Tensor,
    teacher: Tensor,
    log_variance: Tensor,
    eps: float = 1e-6,
    min_log_variance: float | None = None,
) -> Tensor:
    r"""Compute the Gaussian negative log-likelihood of each teacher embedding (PAD; Zhang et al., ECCV 2020).

    .. math:: \mathrm{PAD}_n = \frac{1}{D} \sum_{d=1}^{D} \frac{(t_{nd} - m_{nd})^2}{\epsilon + e^{s_{nd}}} + s_{nd}

    with the student's embedding :math:`m`, the teacher's :math:`t` and the log-variance :math:`s` that a branch of the
    student predicts. Easy ("prime") sites get a small variance, hence a large weight. With :math:`s = 0` it is the
    mean squared error; it may be negative. The form is torchdistill's, which follows code of the author; the original
    repository could not be found.

    Args:
        student: The student's embeddings, ``(R, D)``.
        teacher: The teacher's, ``(R, D)``.
        log_variance: Log-variances, ``(R, D)``; gets a gradient.
        eps: Lower bound of the variance in the quotient.
        min_log_variance: Lower bound of :math:`s`. None leaves the last term without a lower bound.

    Example:
        >>> import torch
        >>> pad_divergence(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]), torch.zeros(1, 2))
        tensor([2.0000])
    """
    student, teacher = check_features(student, teacher, '(R, D)')
    check_features(student, log_variance, '(R, D)')
    log_variance = to_float(log_variance)
    if min_log_variance is not None:
        log_variance = log_variance.clamp(min=min_log_variance)
    # 1 / (eps + e^s) in log space: e^s may overflow, and its gradient would be NaN.
    log_eps = log_variance.new_tensor(math.log(eps) if eps else float('-inf'))
    precision = (-torch.logaddexp(log_variance, log_eps)).exp()
    return ((teacher - student).square() * precision + log_variance).mean(dim=1)

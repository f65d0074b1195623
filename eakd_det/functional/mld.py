"""Relations among predictions: the batch and class level of multi-level logit distillation, and its masks."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_logits, check_pair, soften


def batch_gram_distance(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, rows: Tensor | None = None
) -> Tensor:
    r"""Compare which sites teacher and student find similar (MLD's batch level; Jin et al., CVPR 2023).

    .. math:: B = \lVert P P^\top - Q Q^\top \rVert_F^2, \qquad
        P = \mathrm{softmax}(z^T / \tau), \quad Q = \mathrm{softmax}(z^S / \tau)

    A scalar, because it compares pairs of sites. It grows with their number: divide it by ``R`` for the published loss,
    or by ``R ** 2`` for a mean over pairs. With :math:`M = (P + Q) / 2` and :math:`D = P - Q` the difference is
    :math:`M D^\top + D M^\top`, hence

    .. math:: B = 2 \bigl( \langle M^\top M, D^\top D \rangle + \langle A, A^\top \rangle \bigr), \qquad A = M^\top D

    which needs ``(C, C)`` matrices only and, unlike the textbook expansion, does not subtract large numbers from each
    other. With fewer sites than classes the smaller ``(R, R)`` matrix is computed instead.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of both softmaxes.
        rows: Weight of each site, ``(R,)``; 0 removes it. None weights all alike.

    Example:
        >>> import torch
        >>> batch_gram_distance(torch.zeros(2, 2), torch.tensor([[99.0, 0.0], [0.0, 99.0]]))
        tensor(1.)
    """
    mean, difference = _mean_and_difference(student_logits, teacher_logits, tau)
    if rows is not None:
        mean, difference = mean * rows[:, None], difference * rows[:, None]
    # Autocast would compute these products in half precision.
    with torch.autocast(mean.device.type, enabled=False):
        if mean.shape[0] <= mean.shape[1]:
            half = mean @ difference.t()
            return (half + half.t()).square().sum()
        cross = mean.t() @ difference
        return 2 * (((mean.t() @ mean) * (difference.t() @ difference)).sum() + (cross * cross.t()).sum())


def class_gram_distance(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, columns: Tensor | None = None
) -> Tensor:
    r"""Compare how teacher and student relate the classes (MLD's class level; Jin et al., CVPR 2023).

    .. math:: K = \lVert P^\top P - Q^\top Q \rVert_F^2 = \lVert A + A^\top \rVert_F^2

    with the letters of :func:`batch_gram_distance`, a scalar like it. It grows with the square of the number of sites;
    the published loss divides it by ``C``. ``columns`` is the weight of each class, ``(C,)``; 0 removes it.

    Example:
        >>> import torch
        >>> class_gram_distance(torch.zeros(2, 2), torch.tensor([[99.0, 0.0], [0.0, 99.0]]))
        tensor(1.)
    """
    mean, difference = _mean_and_difference(student_logits, teacher_logits, tau)
    if columns is not None:
        mean, difference = mean * columns, difference * columns
    with torch.autocast(mean.device.type, enabled=False):
        half = mean.t() @ difference
        return (half + half.t()).square().sum()


@torch.no_grad()
def unsure_rows(teacher_logits: Tensor, quantile: float = 0.5) -> Tensor:
    """Select the sites on which the teacher is least confident, ``(R,)`` of 0 and 1.

    These are the sites whose largest probability (at temperature 1) is at most the given quantile, interpolated as by
    numpy's ``percentile``. All ties at the quantile are selected.

    Example:
        >>> import torch
        >>> unsure_rows(torch.tensor([[9.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
        tensor([0., 1., 1.])
    """
    return _at_most_quantile(check_logits(teacher_logits).softmax(dim=1).amax(dim=1), quantile)


@torch.no_grad()
def rare_columns(teacher_logits: Tensor, quantile: float = 0.5) -> Tensor:
    """Select the classes to which the teacher gives the least probability over all sites, ``(C,)`` of 0 and 1.

    Example:
        >>> import torch
        >>> rare_columns(torch.tensor([[9.0, 0.0, 1.0], [9.0, 0.0, 1.0]]))
        tensor([0., 1., 1.])
    """
    return _at_most_quantile(check_logits(teacher_logits).softmax(dim=1).sum(dim=0), quantile)


def _at_most_quantile(values: Tensor, quantile: float) -> Tensor:
    return (values <= values.quantile(quantile)).to(values.dtype) if values.numel() else values


def _mean_and_difference(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature) -> tuple[Tensor, Tensor]:
    student, teacher = check_pair(student_logits, teacher_logits)
    q, p = soften(student, tau).softmax(dim=1), soften(teacher, tau).softmax(dim=1)
    return (p + q) / 2, p - q

"""Weights from the teacher's own loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from eakd_det.functional._inputs import check_labels, check_logits


@torch.no_grad()
def adakd_weight(teacher_logits: Tensor, labels: Tensor, slope: Tensor | float, pivot: float | None = None) -> Tensor:
    r"""Compute AdaKD's weight of each site from the teacher's loss there (Ganguly et al., Interspeech 2024).

    .. math:: \alpha_n = e^{-1 / \sqrt{d_n}}, \qquad d_n = e^{-k (x_n - t)}, \qquad x_n = -\log p^T_{n y_n}

    With a positive slope :math:`k` sites that the teacher gets right count most, with a negative one those that it gets
    wrong; at 0 all weigh :math:`1/e`.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        labels: The class of each site, ``(R,)``.
        slope: The slope :math:`k`.
        pivot: The loss :math:`t` of a site of average difficulty. Defaults to None: the mean over these sites.

    Returns:
        Weights from 0 to 1, ``(R,)``, float32 or better, without gradient.

    Raises:
        ConfigError: If logits or labels are invalid.

    Example:
        >>> right_then_wrong = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
        >>> adakd_weight(*right_then_wrong, slope=1.0), adakd_weight(*right_then_wrong, slope=-1.0)
        (tensor([0.5452, 0.1923]), tensor([0.1923, 0.5452]))
    """
    teacher = check_logits(teacher_logits, 'preds_T')
    losses = cross_entropy(teacher, check_labels(labels, teacher), reduction='none')
    average = losses.sum() / max(len(losses), 1) if pivot is None else pivot
    # e^(-1 / sqrt(e^-a)) = e^(-e^(a / 2)), in which no square root meets an infinity.
    return (-(slope * (losses - average) / 2).exp()).exp()

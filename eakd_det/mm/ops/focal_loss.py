"""Sigmoid focal loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def sigmoid_focal_loss(
    logits: Tensor, labels: Tensor, gamma: float = 2.0, alpha: float = 0.25, class_weights: Tensor | None = None
) -> Tensor:
    r"""Return the focal loss of each logit.

    .. math::
        loss_{rc} = -\alpha (1 - p_{rc})^\gamma \log p_{rc} \text{ where } c = label_r, \quad
        -(1 - \alpha) p_{rc}^\gamma \log (1 - p_{rc}) \text{ elsewhere}, \quad p = \mathrm{sigmoid}(logits)

    Args:
        logits: ``(R, C)``; computed in float32 or better. The loss has their shape and dtype.
        labels: ``(R,)``, int64; ``C`` or above is background.
        gamma: Exponent that reduces the loss of well-classified entries.
        alpha: Weight of objects.
        class_weights: Factor for rows with each label, ``(C,)``; background rows keep their loss.

    Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 5.

    Example:
        >>> import torch
        >>> sigmoid_focal_loss(torch.zeros(1, 2), torch.tensor([1]))
        tensor([[0.1300, 0.0433]])
    """
    raw = logits.to(torch.promote_types(logits.dtype, torch.float32))
    log_p, log_not_p = logsigmoid(raw), logsigmoid(-raw)
    is_label = labels[:, None] == torch.arange(logits.size(1), device=logits.device)
    positive = -alpha * (gamma * log_not_p).exp() * log_p
    negative = (alpha - 1) * (gamma * log_p).exp() * log_not_p
    loss = torch.where(is_label, positive, negative)
    if class_weights is not None:
        of_row = torch.where(is_label, class_weights.to(loss.dtype), 0).sum(1, keepdim=True)
        loss = loss * of_row.where(is_label.any(1, keepdim=True), 1)
    return loss.to(logits.dtype)

"""The entropy of predictions, in nats."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_logits, soften


def entropy(logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the Shannon entropy of each site's class distribution at a temperature (EA-KD, Eq. 8).

    .. math:: H_n = -\sum_{c=1}^{C} p_{nc} \log p_{nc}, \qquad p_n = \mathrm{softmax}(z_n / \tau)

    It runs from 0 for a one-hot distribution to :math:`\log C` for a uniform one. With the distances
    :math:`d_{nc} = (\max_k z_{nk} - z_{nc}) / \tau \ge 0` it is computed as

    .. math:: H_n = \log(1 + S_n) + \frac{1}{1 + S_n} \sum_{c \ne \arg\max} d_{nc}\, e^{-d_{nc}}, \qquad
        S_n = \sum_{c \ne \arg\max} e^{-d_{nc}}

    where nothing cancels: even the tiny entropy of a confident prediction keeps its digits in float32, without an
    epsilon. (The published code adds 1e-10 inside the logarithm, which moves H by about ``C * 1e-10``.)

    Args:
        logits: Class scores before the softmax, ``(R, C)``.
        tau: Temperature of the softmax.

    Example:
        >>> import torch
        >>> entropy(torch.tensor([[0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0]]))
        tensor([1.3863, 0.5291])
    """
    scaled = soften(check_logits(logits), tau)
    top = scaled.max(dim=1, keepdim=True)
    distance = top.values - scaled
    if distance.requires_grad:
        others = (-distance).exp().scatter(1, top.indices, 0.0)
        rest = others.sum(dim=1)
        return rest.log1p() + (others * distance).sum(dim=1) / (1 + rest)
    others = distance.neg().exp_().scatter_(1, top.indices, 0.0)  # the same with half of the memory
    rest = others.sum(dim=1)
    return rest.log1p() + others.mul_(distance).sum(dim=1) / (1 + rest)

"""Contrastive representation distillation among the sites of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_features


def crd_divergence(student: Tensor, teacher: Tensor, labels: Tensor, tau: float = 0.07) -> Tensor:
    r"""Contrast each site's embedding with the teacher's at the same site and at sites of other classes.

    .. math:: \mathrm{CRD}_n = -\log h_{nn} - \sum_{m:\, y_m \ne y_n} \log (1 - h_{nm}), \qquad
        h_{nm} = \frac{e^{\cos(s_n, t_m) / \tau}}{e^{\cos(s_n, t_m) / \tau} + M_n Z}

    (CRD; Tian et al., ICLR 2020, Eq. 18), with the number :math:`M_n` of sites of other classes and the mean
    :math:`Z` of :math:`e^{\cos / \tau}` over all these pairs, without gradient. The published loss draws 16,384
    negatives of other classes from a memory of the whole data set, and takes :math:`Z` from the first batch. A detector
    has no fixed set of sites that a memory could index, so the negatives are those of the batch. Sites of the same
    class are no negatives: many proposals show the same object. A site without negatives has no loss.

    Args:
        student: The student's embeddings, ``(R, D)``.
        teacher: The teacher's in the same space, ``(R, D)``; no gradient reaches them.
        labels: The class of each site, ``(R,)``, background included.
        tau: Temperature of the similarities. Defaults to 0.07, as published.

    Returns:
        ``(R,)``, float32 or better, in nats; the sites depend on each other.

    Raises:
        ConfigError: Unless both are embeddings of the same shape with a label each, and ``tau`` is above 0.

    Example:
        >>> same = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> crd_divergence(same, same, torch.tensor([0, 1])), crd_divergence(same, same.flip(0), torch.tensor([0, 1]))
        (tensor([0.4055, 0.4055]), tensor([14.6912, 14.6912]))
    """
    student, teacher = check_features(student, teacher, '(R, D)')
    if labels.shape != student.shape[:1]:
        raise ConfigError(f'labels: expected one for each of {len(student)} sites, but got shape {tuple(labels.shape)}')
    if not 0 < tau < math.inf:
        raise ConfigError(f'tau: expected a finite number > 0, but got {tau!r}')
    # Autocast would compute the product in half precision.
    with torch.autocast(student.device.type, enabled=False):
        scores = normalize(student, dim=1) @ normalize(teacher, dim=1).t() / tau
    negative = labels[:, None] != labels
    count = negative.sum(dim=1)
    used = negative | torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    log_mean = torch.where(used, scores.detach(), -math.inf).flatten().logsumexp(dim=0) - used.sum().log()
    offset = count.clamp(min=1).log() + log_mean
    attracted = -logsigmoid(scores.diagonal() - offset)
    repelled = -torch.where(negative, logsigmoid(offset[:, None] - scores), 0.0).sum(dim=1)
    return torch.where(count > 0, attracted + repelled, 0.0 * attracted)

"""Multi-level logit distillation of sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from eakd_det.arguments import Fraction, NotNegative, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import (
    StandardizeOption,
    batch_gram_distance,
    class_gram_distance,
    kd_divergence,
    rare_columns,
    standardize,
    unsure_rows,
)
from eakd_det.losses.base import ProposalLoss


class MLDLoss(ProposalLoss):
    r"""Instance, batch and class level at several temperatures (MLD; Jin et al., CVPR 2023).

    .. math:: L = \lambda \sum_{\tau} \Bigl( \frac{a}{R} \sum_n w_n \mathrm{KD}_n(\tau)
        + b\, \bar B(\tau) + c\, \bar K(\tau) \Bigr)

    with the Gram distances :math:`B, K` of :func:`eakd_det.functional.batch_gram_distance` and
    :func:`eakd_det.functional.class_gram_distance`. Weights act on the instance level only (EA-MLD with
    :class:`eakd_det.weighting.EntropyWeighting`), and so does ``standardize`` (MLD+LS); both Gram terms see raw logits,
    as in the published EA-MLD+LS.

    The paper describes masks that select sites (the teacher's confidence is at most its median) and classes (their
    total probability is at most its median). The published code multiplies losses that are already means by these
    masks, so that they only scale them: each Gram level by the fraction selected, the instance level by that fraction
    plus one, because the second view of the image is not masked (here both views are the same). Every site keeps its
    gradient. The published results come from this form, so it is the default; with ``masks='select'`` about half of
    the sites get no instance gradient.

    Args:
        temperatures: Temperatures of all levels. The default is published for CIFAR-100; with LS the published first
            one is 2. Nothing is published for detection.
        masks: 'published' multiplies each level by a factor; 'select' removes masked sites and classes from the sums,
            whose divisors remain R and C; 'none' applies no mask.
        mask_quantile: Quantile of the masks.
        gram: 'mean' divides the batch level by R² and the class level by R² C, so that neither grows with the number of
            sites; 'published' divides by R and C, made for batches of 64 images.
        instance_weight: The factor :math:`a`.
        batch_weight: The factor :math:`b`.
        class_weight: The factor :math:`c`.
        standardize: As in :class:`eakd_det.losses.LogitLoss`, for the instance level.
        **kwargs: ``weighting``, ``reduction`` (of the instance level), ``loss_weight`` (published: 0.9; with LS 9, with
            EA and LS 4) of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range, or ``reduction`` is 'none' while a Gram level counts.

    Example:
        >>> import torch
        >>> loss = MLDLoss(temperatures=(1, 2), masks='none')
        >>> loss(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        tensor(0.1124)
    """

    @checked
    def __init__(
        self,
        temperatures: Sequence[Positive] = (4.0, 3.0, 5.0, 2.0, 6.0),
        masks: Literal['published', 'select', 'none'] = 'published',
        mask_quantile: Fraction = 0.5,
        gram: Literal['mean', 'published'] = 'mean',
        instance_weight: NotNegative = 1.0,
        batch_weight: NotNegative = 1.0,
        class_weight: NotNegative = 1.0,
        standardize: StandardizeOption = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not temperatures:
            raise ConfigError(f'{type(self).__name__}.temperatures: expected at least one, but got {temperatures!r}')
        self.temperatures = list(temperatures)
        self.masks = masks
        self.mask_quantile = mask_quantile
        self.gram = gram
        self.instance_weight = instance_weight
        self.batch_weight = batch_weight
        self.class_weight = class_weight
        self.standardize = standardize
        if self.reduction == 'none' and (self.batch_weight or self.class_weight):
            raise ConfigError(
                f'{type(self).__name__}.reduction: expected mean or sum, since batch and class level belong to no '
                "site, but got 'none'; set batch_weight and class_weight to 0 to use it"
            )

    def divergence(self, preds_S: Tensor, preds_T: Tensor) -> tuple[Tensor, Tensor | None]:
        """Compute the instance level of each site, ``(N,)``, and the sum of the two other levels, a scalar."""
        rows = columns = None
        if self.masks != 'none':
            rows, columns = unsure_rows(preds_T, self.mask_quantile), rare_columns(preds_T, self.mask_quantile)
        instance = self.instance_weight * self._instance_level(preds_S, preds_T)
        if rows is not None:
            instance = instance * (rows if self.masks == 'select' else _fraction(rows) + 1)
        sites, classes = max(preds_S.shape[0], 1), preds_S.shape[1]
        is_mean = self.gram == 'mean'
        levels = []
        if self.batch_weight:
            factor = self.batch_weight / (sites**2 if is_mean else sites)
            levels.append(factor * self._gram_level(batch_gram_distance, preds_S, preds_T, rows))
        if self.class_weight:
            factor = self.class_weight / (classes * sites**2 if is_mean else classes)
            levels.append(factor * self._gram_level(class_gram_distance, preds_S, preds_T, columns))
        return instance, torch.stack(levels).sum() if levels else None

    def _instance_level(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        if self.standardize:
            preds_S, preds_T = standardize(preds_S, self.standardize), standardize(preds_T, self.standardize)
        return torch.stack([kd_divergence(preds_S, preds_T, tau) for tau in self.temperatures]).sum(dim=0)

    def _gram_level(
        self, distance: Callable[..., Tensor], preds_S: Tensor, preds_T: Tensor, mask: Tensor | None
    ) -> Tensor:
        selected = mask if self.masks == 'select' else None
        total = torch.stack([distance(preds_S, preds_T, tau, selected) for tau in self.temperatures]).sum()
        return _fraction(mask) * total if self.masks == 'published' and mask is not None else total


def _fraction(mask: Tensor) -> Tensor:
    return mask.sum() / max(mask.numel(), 1)

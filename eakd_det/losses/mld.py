"""Multi-level logit distillation of sites."""

from __future__ import annotations

from collections.abc import Sequence
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

    The paper describes masks that pick sites (the teacher's confidence is at most its median) and classes (their
    total probability is at most its median). The published code multiplies losses that are already averaged by these
    masks, so that they only scale: each Gram level by the fraction picked, the instance level by that fraction plus
    one, for the second view of the image is not masked (here both views are the same). No site loses its
    gradient. This is the default, since the published results come from it; masks that pick
    (``masks='select'``) leave about half of the sites without instance gradient.

    Args:
        temperatures: Temperatures of all levels. Defaults to (4, 3, 5, 2, 6), as published for CIFAR-100; with LS the
            published first one is 2. Nothing is published for detection.
        masks: 'published' multiplies each level by a factor; 'select' takes masked-out sites and classes out of
            the sums, whose divisors stay R and C; 'none'. Defaults to 'published'.
        mask_quantile: Quantile of the masks, between 0 and 1. Defaults to 0.5.
        gram: 'mean' divides the batch level by R² and the class level by R² C, so that neither grows with the number of
            sites; 'published' divides by R and C, made for batches of 64 images. Defaults to 'mean'.
        instance_weight: The factor :math:`a`, at least 0. Defaults to 1.0.
        batch_weight: The factor :math:`b`, at least 0. Defaults to 1.0.
        class_weight: The factor :math:`c`, at least 0. Defaults to 1.0.
        standardize: As in :class:`eakd_det.losses.LogitLoss`, for the instance level. Defaults to False.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` (published: 0.9; with LS 9, with EA and LS 4) of
            :class:`ProposalLoss`. The reduction is that of the instance level.

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
                f'{type(self).__name__}.reduction: expected mean or sum, since batch and class level '
                "do not belong to sites, but got 'none'; or set batch_weight and class_weight to 0"
            )

    def divergence(self, preds_S: Tensor, preds_T: Tensor) -> tuple[Tensor, Tensor | None]:
        """Compute the instance level of each site, ``(N,)``, and the sum of the two other levels, a scalar."""
        rows = columns = None
        if self.masks != 'none':
            rows, columns = unsure_rows(preds_T, self.mask_quantile), rare_columns(preds_T, self.mask_quantile)
        instance = self.instance_weight * self._instance_level(preds_S, preds_T)
        if rows is not None:
            instance = instance * (rows if self.masks == 'select' else _fraction(rows) + 1)
        return instance, self._gram_levels(preds_S, preds_T, rows, columns)

    def _instance_level(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        if self.standardize:
            preds_S, preds_T = standardize(preds_S, self.standardize), standardize(preds_T, self.standardize)
        return torch.stack([kd_divergence(preds_S, preds_T, tau) for tau in self.temperatures]).sum(dim=0)

    def _gram_levels(
        self, preds_S: Tensor, preds_T: Tensor, rows: Tensor | None, columns: Tensor | None
    ) -> Tensor | None:
        sites, classes = max(preds_S.shape[0], 1), preds_S.shape[1]
        by_rows, by_columns = self.batch_weight, self.class_weight
        by_rows /= sites**2 if self.gram == 'mean' else sites
        by_columns /= classes * (sites**2 if self.gram == 'mean' else 1)
        chosen_rows, chosen_columns = (rows, columns) if self.masks == 'select' else (None, None)
        levels = []
        if by_rows:
            distances = [batch_gram_distance(preds_S, preds_T, tau, chosen_rows) for tau in self.temperatures]
            factor = _fraction(rows) if self.masks == 'published' and rows is not None else 1.0
            levels.append(by_rows * factor * torch.stack(distances).sum())
        if by_columns:
            distances = [class_gram_distance(preds_S, preds_T, tau, chosen_columns) for tau in self.temperatures]
            factor = _fraction(columns) if self.masks == 'published' and columns is not None else 1.0
            levels.append(by_columns * factor * torch.stack(distances).sum())
        return torch.stack(levels).sum() if levels else None

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'temperatures={self.temperatures}, masks={self.masks!r}, gram={self.gram!r}, {super().extra_repr()}'


def _fraction(mask: Tensor) -> Tensor:
    return mask.sum() / max(mask.numel(), 1)

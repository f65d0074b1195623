"""Kullback-Leibler distillation of sites, forward and reverse."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.arguments import AtLeastOne, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import (
    StandardizeOption,
    Temperature,
    binary_focal_divergence,
    binary_kd_divergence,
    kd_divergence,
    rkld_divergence,
)
from eakd_det.losses.logit import LogitLoss


class KDLoss(LogitLoss):
    r"""Kullback-Leibler divergence at a temperature, see :func:`eakd_det.functional.kd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \tau^2\,
        \mathrm{KL}\bigl(\mathrm{softmax}(z^T_n / \tau) \,\|\, \mathrm{softmax}(z^S_n / \tau)\bigr)

    Of sigmoid scores it is :func:`eakd_det.functional.binary_kd_divergence`, summed over the classes.

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-KD, with ``standardize=True`` KD+LS, with
    ``tau=dict(type='eakd_det.LearnedTemperature')`` CTKD.

    Args:
        tau: Temperature of both softmaxes. Defaults to 1.0, which all released detection code uses.
        standardize: See :class:`LogitLoss`. Defaults to False.
        focal_beta: Use :func:`eakd_det.functional.binary_focal_divergence` with this exponent in place of KD, as BCKD
            and CrossKD do with 1. For sigmoid scores alone. Defaults to None: KD.
        **kwargs: As in :class:`LogitLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if ``focal_beta`` is set and scores are a softmax.

    Example:
        >>> import torch
        >>> loss = KDLoss(weighting=dict(type='EntropyWeighting', tau=3.0))
        >>> loss(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1026)
    """

    @checked
    def __init__(
        self,
        tau: Positive | dict[str, Any] | nn.Module = 1.0,
        standardize: StandardizeOption = False,
        focal_beta: AtLeastOne | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(tau, standardize, **kwargs)
        self.focal_beta = focal_beta
        if focal_beta is not None and isinstance(self.tau, nn.Module):
            raise ConfigError(
                f'{type(self).__name__}.tau: expected a number with focal_beta, but got a learned temperature'
            )

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute KD of each site, ``(N,)``."""
        if self.focal_beta is not None:
            raise ConfigError(
                f'{type(self).__name__}.focal_beta: expected None, because the scores are a softmax, '
                f'but got {self.focal_beta}'
            )
        return kd_divergence(preds_S, preds_T, tau)

    def why_not(self, activation: Activation) -> str | None:
        """Refuse ``focal_beta`` for a softmax, in addition."""
        if activation == 'softmax' and self.focal_beta is not None:
            return 'with focal_beta compares sigmoid scores'
        return super().why_not(activation)

    def binary_divergence(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute KD of each sigmoid score, ``(N, C)``, in less time and memory than of a softmax over two."""
        if isinstance(self.tau, nn.Module):
            return super().binary_divergence(preds_S, preds_T)
        if self.focal_beta is not None:
            return binary_focal_divergence(preds_S, preds_T, self.tau, self.focal_beta)
        return binary_kd_divergence(preds_S, preds_T, self.tau)


class RKLDLoss(LogitLoss):
    r"""Reverse Kullback-Leibler divergence, see :func:`eakd_det.functional.rkld_divergence`.

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-RKLD. EA-KD's text reweights language model
    losses per sequence and gives no formula; the weight of each site is this package's reading.

    Args:
        tau: Temperature of both softmaxes.
        **kwargs: As in :class:`LogitLoss`.

    Example:
        >>> import torch
        >>> RKLDLoss()(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1120)
    """

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute RKLD of each site, ``(N,)``."""
        return rkld_divergence(preds_S, preds_T, tau)

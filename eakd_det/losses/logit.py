"""Losses on softened logits: what those with a temperature have in common."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import Positive, checked
from eakd_det.building import build_model
from eakd_det.functional import StandardizeOption, Temperature, binary_pairs, standardize
from eakd_det.losses.site_loss import SiteLoss
from eakd_det.losses.temperature import ProposalTemperature


class LogitLoss(SiteLoss):
    """A divergence of softened class distributions.

    Subclasses implement :meth:`divergence_at`. Of sigmoid scores each is a distribution over two, with a divergence and
    a weight of its own; a site's loss is their sum over the classes. Row n of both sides must be the same site; in
    MMRazor's ``SingleTeacherDistill`` it is so only with a delivery that shares the samples (docs/mmrazor.md).

    Args:
        tau: Temperature: a number above 0, or the config of a module that gives one temperature, or one for each
            site, from the raw logits (``dict(type='eakd_det.LearnedTemperature')``). Defaults to 1.0.
        standardize: Standardise each row of logits first (LS, :func:`eakd_det.functional.standardize`): True or
            'sample' as the published code, 'population' as the paper, False for raw logits. The weighting sees raw
            logits all the same, unless it has a ``standardize`` of its own. Defaults to False.
        **kwargs: ``sites``, ``weighting``, ``reduction``, ``loss_weight`` of :class:`SiteLoss`.

    Raises:
        ConfigError: If an argument is out of range.
    """

    @checked
    def __init__(
        self,
        tau: Positive | dict[str, Any] | nn.Module = 1.0,
        standardize: StandardizeOption = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tau: float | nn.Module = build_model(tau)
        self.standardize = standardize

    def divergence(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None) -> Tensor:
        """Compute the divergence of each site, ``(N,)``, after standardisation and at the temperature.

        Of sigmoid scores it is that of each, ``(N, C)``.
        """
        if self.activation == 'sigmoid':
            return self.binary_divergence(preds_S, preds_T)
        tau = self.tau(preds_S, preds_T) if isinstance(self.tau, nn.Module) else self.tau
        if self.standardize:
            preds_S, preds_T = standardize(preds_S, self.standardize), standardize(preds_T, self.standardize)
        return self.divergence_at(tau, preds_S, preds_T, gt_labels)

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute the divergence of each site at the temperature ``tau``, ``(N,)``."""
        raise NotImplementedError

    def binary_divergence(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the divergence of each sigmoid score, ``(N, C)``, as of a softmax over two."""
        student, teacher = binary_pairs(preds_S), binary_pairs(preds_T)
        tau = self.tau(student, teacher) if isinstance(self.tau, nn.Module) else self.tau
        return self.divergence_at(tau, student, teacher).unflatten(0, preds_S.shape)

    def why_not_sigmoid(self) -> str | None:
        """Refuse to standardise, which compares the columns of a row."""
        return 'with standardize compares classes with each other' if self.standardize else None

    def log_values(self) -> dict[str, Tensor]:
        """Return the temperature, if it is learned."""
        return self.tau.log_values() if isinstance(self.tau, ProposalTemperature) else {}

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        tau = '' if isinstance(self.tau, nn.Module) else f'tau={self.tau}, '
        ls = f'standardize={self.standardize!r}, ' if self.standardize else ''
        return f'{tau}{ls}{super().extra_repr()}'

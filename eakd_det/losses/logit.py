"""The base of losses that compare logits at a temperature."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.arguments import Positive, checked
from eakd_det.building import build_model
from eakd_det.functional import StandardizeOption, binary_pairs, standardize
from eakd_det.losses.site_loss import SiteLoss
from eakd_det.losses.temperature import ProposalTemperature


class LogitLoss(SiteLoss):
    """A divergence of class distributions at a temperature; subclasses implement :meth:`divergence_at`.

    Each sigmoid score is a distribution over two, with a divergence and a weight of its own; a site's loss is their sum
    over the classes.

    Row n must be the same site on both sides. MMRazor's ``SingleTeacherDistill`` guarantees this only with a delivery
    that shares the samples (docs/mmrazor.md).

    Args:
        tau: Temperature: a number, or the config of a module that computes one temperature, or one for each site, from
            the raw logits (``dict(type='eakd_det.LearnedTemperature')``).
        standardize: Standardise each row of logits first (LS, :func:`eakd_det.functional.standardize`): True or
            'sample' as in the published code, 'population' as in the paper, False for raw logits. The weighting still
            sees raw logits, unless its own ``standardize`` is set.
        **kwargs: ``sites``, ``weighting``, ``reduction``, ``loss_weight`` of :class:`SiteLoss`.

    Raises:
        ConfigError: If an argument is out of range.
    """

    _reads_labels: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Find out whether :meth:`divergence_at` reads labels."""
        super().__init_subclass__(**kwargs)
        cls._reads_labels = 'gt_labels' in inspect.signature(cls.divergence_at).parameters

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
        if not self._reads_labels:
            return self.divergence_at(tau, preds_S, preds_T)
        if gt_labels is None:
            self._check_present({}, ('gt_labels',))
        return self.divergence_at(tau, preds_S, preds_T, gt_labels)

    def divergence_at(self, *args: Any) -> Tensor:
        """Compute the divergence of each site, ``(N,)``.

        Subclasses take ``(tau, preds_S, preds_T)``, or ``(tau, preds_S, preds_T, gt_labels)`` if they need labels.
        """
        raise NotImplementedError

    def binary_divergence(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the divergence of each sigmoid score, ``(N, C)``, as of a softmax over two."""
        student, teacher = binary_pairs(preds_S), binary_pairs(preds_T)
        tau = self.tau(student, teacher) if isinstance(self.tau, nn.Module) else self.tau
        return self.divergence_at(tau, student, teacher).unflatten(0, preds_S.shape)

    def why_not(self, activation: Activation) -> str | None:
        """Refuse to standardise sigmoids, which compares the columns of a row."""
        is_refused = activation == 'sigmoid' and self.standardize
        return 'with standardize compares classes with each other' if is_refused else None

    def log_values(self) -> dict[str, Tensor]:
        """Return the temperature if it is learned."""
        return self.tau.log_values() if isinstance(self.tau, ProposalTemperature) else {}

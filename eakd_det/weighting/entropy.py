"""Weights from the entropies of teacher and student."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import EAMode, StandardizeOption, binary_ea_weight, ea_weight, standardize
from eakd_det.weighting.base import ProposalWeighting, mean_one


class EntropyWeighting(ProposalWeighting):
    r"""The weight of EA-KD (Eq. 8 to 12), see :func:`eakd_det.functional.ea_weight`.

    .. math:: w_n = \frac{H^T_n}{2} \Bigl(1 + \frac{H^S_n}{H_{ub}}\Bigr)

    As in the paper, the weight is not normalised by default. With 81 classes at ``tau=3`` it may be nearly constant and
    about 3.8, so that EA also raises the loss weight: compare it with :class:`MeanMatchedWeighting` or set
    ``normalize=True``.

    Each sigmoid score has a weight of its own, see :func:`eakd_det.functional.binary_ea_weight`; at ``tau=3`` they are
    nearly equal, 1 distinguishes them.

    Args:
        tau: Temperature T' of both entropies, not that of the divergence.
        mode: 'ea', 'teacher' or 'student' (the entropy of one side), 'interact' (the product), and 'inverse-ea',
            'inverse-teacher', 'inverse-student', which reverse the order. :func:`eakd_det.functional.ea_weight` lists
            the source of each. 'base' and 'inverse' are former names of 'teacher' and 'inverse-ea'.
        h_ub: Upper bound of the student's entropy in 'ea', 'interact' and 'inverse-ea', in nats; None is log C.
        normalize: Divide by the mean over this process's sites, so that the mean weight is 1.
        standardize: Compute the entropies of standardised logits (LS): True or 'sample', 'population', or False for
            raw logits. The published EA-DKD+LS does so. It makes the weight nearly constant: even a one-hot row of 81
            classes then has 4.0 of 4.4 nats at ``tau=3``.
        foreground_only: Compute the entropies over the object classes alone, without the column ``background``.
            Uncertainty about the class counts, uncertainty about the presence of an object does not. ``H_ub`` is the
            logarithm of the number of object classes. Not from the paper, which has no background.
        background: The background column, if there is one, for ``foreground_only``; the last in MMDetection's softmax
            heads.

    Raises:
        ConfigError: If an argument is out of range; in use, if ``foreground_only`` leaves fewer than two classes.

    Example:
        >>> import torch
        >>> weighting = EntropyWeighting(tau=1.0)
        >>> weighting(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([1.0986, 0.0025])
    """

    @checked
    def __init__(
        self,
        tau: Positive = 3.0,
        mode: EAMode = 'ea',
        h_ub: Positive | None = None,
        normalize: bool = False,
        standardize: StandardizeOption = False,
        foreground_only: bool = False,
        background: int | None = -1,
    ) -> None:
        super().__init__()
        self.tau = tau
        self.mode: EAMode = mode
        self.h_ub = h_ub
        self.normalize = normalize
        self.standardize = standardize
        self.foreground_only = foreground_only
        self.background = background

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``."""
        if self.standardize:
            preds_S, preds_T = standardize(preds_S, self.standardize), standardize(preds_T, self.standardize)
        if self.foreground_only:
            preds_S, preds_T = self._objects(preds_S), self._objects(preds_T)
        weigh = binary_ea_weight if self.activation == 'sigmoid' else ea_weight
        weights = weigh(preds_S, preds_T, self.tau, self.mode, self.h_ub)
        return mean_one(weights) if self.normalize else weights

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each sigmoid score, ``(N, C)``, in less time than of a softmax over two."""
        return self.weights(preds_S, preds_T)

    def why_not(self, activation: Activation) -> str | None:
        """Refuse options that need a column of background, or compare columns, for sigmoids."""
        if activation == 'softmax':
            return None
        if self.standardize:
            return 'with standardize compares classes with each other'
        return 'with foreground_only needs a column of background' if self.foreground_only else None

    def _objects(self, logits: Tensor) -> Tensor:
        if logits.shape[1] < 3:
            raise ConfigError(
                f'{type(self).__name__}.foreground_only: expected at least two object classes and background, but got '
                f'{logits.shape[1]} columns; set it to False'
            )
        background = self._background_of(logits.shape[1], 'foreground_only')
        return torch.cat([logits[:, :background], logits[:, background + 1 :]], dim=1)

    def _background_of(self, columns: int, option: str) -> int:
        if self.background is None or not -columns <= self.background < columns:
            raise ConfigError(
                f'{type(self).__name__}.background: expected the column of background, from {-columns} to '
                f'{columns - 1}, for {option}, but got {self.background}; set it, or {option}=False'
            )
        return self.background % columns

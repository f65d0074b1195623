"""The control experiment of entropy weighting."""

from __future__ import annotations

from torch import Tensor

from eakd_det.registry import MODELS
from eakd_det.weighting.entropy import EntropyWeighting


@MODELS.register_module()
class MeanMatchedWeighting(EntropyWeighting):
    r"""Each proposal gets the mean of the weights that :class:`EntropyWeighting` would give.

    .. math:: w_n = \frac{1}{R} \sum_{m=1}^{R} w^{ea}_m

    The loss is as large as EA would make it, but nothing is selected. If this does as well as EA, the gain came from
    a larger loss weight. The mean is over the proposals of this process, as the loss is.

    Args:
        tau: As in :class:`EntropyWeighting`. Defaults to 3.0.
        mode: As there. Defaults to 'ea'.
        h_ub: As there. Defaults to None, which is log C.
        normalize: As there; the weights are then all 1, as in uniform weighting. Defaults to False.
        standardize: As there. Defaults to False.
        foreground_only: As there. Defaults to False.

    Raises:
        ConfigError: As :class:`EntropyWeighting`.

    Example:
        >>> import torch
        >>> weighting = MeanMatchedWeighting(tau=1.0)
        >>> weighting(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.5505, 0.5505])
    """

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """The same weight for each proposal, ``(R,)``."""
        weights = super().weights(preds_S, preds_T)
        return (weights.sum() / max(weights.numel(), 1)).expand_as(weights)

"""Sites first where student and teacher disagree most."""

from __future__ import annotations

from torch import Tensor

from eakd_det.weighting.base import ObjectScoreWeighting


class DifferenceWeighting(ObjectScoreWeighting):
    r"""The largest difference of the two networks' scores of an object class, BCKD's weight of boxes.

    .. math:: w_n = \max_c \bigl| \sigma(z^T_{nc}) - \sigma(z^S_{nc}) \bigr| \quad\text{or}\quad
        w_n = \max_{c \ne \text{background}} \bigl| \mathrm{softmax}(z^T_n)_c - \mathrm{softmax}(z^S_n)_c \bigr|

    The form for sigmoids is that of the code of BCKD (Yang et al., ICCV 2023), the other is this package's.

    Args:
        normalize: Divide by the mean over this process's sites. Defaults to False.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> DifferenceWeighting()(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.0000, 0.6664])
    """

    def compared(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return how far the scores are apart, ``(N, K)``."""
        return (teacher - student).abs()

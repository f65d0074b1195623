"""Logit standardisation: compare the shapes of predictions, not their scales."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_logits

StandardizeOption: TypeAlias = bool | Literal['sample', 'population']


def standardize(logits: Tensor, std: StandardizeOption = 'sample', eps: float = 1e-7) -> Tensor:
    r"""Standardise each row to mean 0 and standard deviation 1 (logit standardisation, LS; Sun et al., CVPR 2024).

    .. math:: Z_{nc} = \frac{z_{nc} - \bar z_n}{\mathrm{std}(z_n) + \epsilon}

    The method's temperature, which the paper writes into the denominator, is the ``tau`` of the divergence that
    follows. Shifting a row or scaling it by a positive factor changes nothing: a large and a small margin for
    background look the same.

    A row whose values differ by no more than rounding has no shape: it becomes zeros and gets no gradient. The plain
    formula would multiply its gradient by :math:`1/\epsilon`.

    Args:
        logits: Class scores before the softmax, ``(R, C)``.
        std: 'sample' (or True) divides the squares by ``C - 1``, as the published code does; 'population' by ``C``, as
            the paper prints it. The ratio is 1.006 for 81 classes.
        eps: Added to the standard deviation; the default is that of the published code.

    Returns:
        Standardised logits, ``(R, C)``, differentiable in ``logits``.

    Raises:
        ConfigError: If ``std`` is unknown or ``logits`` is invalid.

    Example:
        >>> import torch
        >>> standardize(torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [5.0, 5.0, 5.0]]))
        tensor([[-1.0000,  0.0000,  1.0000],
                [-1.0000,  0.0000,  1.0000],
                [ 0.0000,  0.0000,  0.0000]])
    """
    logits = check_logits(logits)
    if std not in (True, 'sample', 'population'):
        raise ConfigError(f'std: expected one of sample, population, but got {std!r}')
    correction = 0 if std == 'population' else 1
    deviation, mean = torch.std_mean(logits, dim=1, correction=correction, keepdim=True)
    rounding = 4 * torch.finfo(logits.dtype).eps * mean.detach().abs()
    is_flat = deviation.detach() <= eps + rounding
    # Both sides of a `where` are differentiated, so the side not taken must be harmless as well.
    safe = deviation.masked_fill(is_flat, 1.0) + eps
    return ((logits - mean) / safe).masked_fill(is_flat, 0.0)

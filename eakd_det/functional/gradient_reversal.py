"""Gradient reversal, which makes a learned temperature the student's adversary."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def scale_gradient(value: Tensor, factor: Tensor | float) -> Tensor:
    r"""Return ``value`` unchanged and multiply its gradient by ``factor``.

    .. math:: f(x) = \bar x + \lambda (x - \bar x)

    where :math:`\bar x` is :math:`x` without gradient. With a negative factor, an optimizer that minimises the loss
    maximises it in ``value``.

    Args:
        value: A finite tensor.
        factor: A number, or a tensor that broadcasts to ``value``; gets no gradient itself.

    Example:
        >>> import torch
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> (2 * scale_gradient(x, -0.5)).backward()
        >>> x.grad
        tensor(-1.)
    """
    factor = torch.as_tensor(factor, dtype=value.dtype, device=value.device).detach()
    constant = value.detach()
    return constant + factor * (value - constant)


def cosine_reversal(progress: Tensor) -> Tensor:
    r"""Compute CTKD's reversal factor, which falls from 0 to -1 along half a cosine (Li et al., AAAI 2023).

    .. math:: \lambda(s) = -\frac{1 - \cos(\pi \min(s, 1))}{2} = -\sin^2 \frac{\pi \min(s, 1)}{2}

    The second form keeps its digits in float32 for small :math:`s`, where :math:`1 - \cos` cancels. The factor is
    negative already; negated again, it would make the temperature help the student instead of challenging it.

    Args:
        progress: Fraction of the ramp that is done, at least 0, any shape.

    Example:
        >>> import torch
        >>> cosine_reversal(torch.tensor([0.1, 0.5, 1.0, 2.0]))
        tensor([-0.0245, -0.5000, -1.0000, -1.0000])
    """
    return -(progress.clamp(max=1.0) * (math.pi / 2)).sin().square()

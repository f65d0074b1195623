"""Gradient reversal: what makes a learned temperature an adversary of the student."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return grads[0] * factor, None


def scale_gradient(value: Tensor, factor: Tensor | float) -> Tensor:
    r"""``value`` itself, whose gradient is multiplied by ``factor`` on the way back.

    .. math:: f(x) = x, \qquad \frac{\partial f}{\partial x} := \lambda

    A negative factor reverses the gradient: what minimises the loss then maximises it in ``value``.

    Args:
        value: Any tensor.
        factor: A number, or a tensor that broadcasts to ``value``; gets no gradient itself.

    Example:
        >>> import torch
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> (2 * scale_gradient(x, -0.5)).backward()
        >>> x.grad
        tensor(-1.)
    """
    return _ScaleGradient.apply(value, torch.as_tensor(factor, dtype=value.dtype, device=value.device))


def cosine_reversal(progress: Tensor) -> Tensor:
    r"""CTKD's reversal factor, which falls from 0 to -1 along half a cosine (Li et al., AAAI 2023).

    .. math:: \lambda(s) = -\frac{1 - \cos(\pi \min(s, 1))}{2}

    It is already negative: negate it once more and the temperature helps the student instead of challenging it.

    Args:
        progress: Steps done over steps of the ramp, at least 0, any shape.

    Example:
        >>> import torch
        >>> cosine_reversal(torch.tensor([0.0, 0.5, 1.0, 2.0]))
        tensor([ 0.0000, -0.5000, -1.0000, -1.0000])
    """
    return (torch.cos(math.pi * progress.clamp(max=1.0)) - 1) / 2

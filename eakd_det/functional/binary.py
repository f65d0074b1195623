"""Sigmoid scores: each is a softmax over two, yes and no, with a divergence and an entropy of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from eakd_det.functional._inputs import Temperature, check_logits, check_pair, soften, times_tau_squared
from eakd_det.functional.ea_weight import weigh_entropies

_is_compiling: Callable[[], bool] = getattr(torch.compiler, 'is_compiling', lambda: False)  # older torch lacks it


def binary_pairs(logits: Tensor) -> Tensor:
    r"""Return each score as the logits of a softmax over two, :math:`(z, 0)`: ``(N, C)`` to ``(N C, 2)``.

    Example:
        >>> binary_pairs(torch.tensor([[1.0, 2.0]]))
        tensor([[1., 0.],
                [2., 0.]])
    """
    flat = check_logits(logits, columns=1).flatten()
    return torch.stack([flat, torch.zeros_like(flat)], dim=1)


def binary_entropy(logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the entropy of each score.

    .. math:: h_{nc} = -p \log p - (1 - p) \log (1 - p), \qquad p = \sigma(z_{nc} / \tau)

    With :math:`d = -|z| / \tau` it is computed as :math:`\log(1 + e^{d}) - d\, \sigma(d)`, in which nothing cancels.

    Args:
        logits: Scores before the sigmoid, ``(N, C)``.
        tau: Temperature, above 0. Defaults to 1.0.

    Returns:
        Entropies in nats, from 0 to log 2, ``(N, C)``, float32 or better.

    Raises:
        ConfigError: If ``logits`` is not ``(N, C)`` floating point, or ``tau`` is not above 0.

    Example:
        >>> binary_entropy(torch.tensor([[0.0, 3.0, -9.0]]))
        tensor([[0.6931, 0.1909, 0.0012]])
    """
    distance = -soften(check_logits(logits, columns=1), tau).abs()
    return softplus(distance).addcmul_(distance, torch.sigmoid(distance), value=-1)


def binary_kd_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the divergence of each score.

    .. math:: \mathrm{KD}_{nc} = \tau^2 \Bigl( p \log \frac{p}{q} + (1 - p) \log \frac{1 - p}{1 - q} \Bigr), \qquad
        p = \sigma(z^T_{nc} / \tau), \quad q = \sigma(z^S_{nc} / \tau)

    It is :func:`eakd_det.functional.kd_divergence` of a softmax over two. Up to the teacher's entropy, which has no
    gradient, its sum over classes is the binary cross-entropy that BCKD (Yang et al., ICCV 2023) starts from.

    Args:
        student_logits: The student's scores before the sigmoid, ``(N, C)``.
        teacher_logits: The teacher's, ``(N, C)``; no gradient reaches them.
        tau: Temperature of both sigmoids. Defaults to 1.0.

    Returns:
        Divergences in nats times ``tau ** 2``, ``(N, C)``, float32 or better, not negative up to rounding.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` is not above 0.

    Example:
        >>> binary_kd_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
        tensor([[0.0000, 0.3278]])
    """
    student, teacher = (soften(side, tau) for side in check_pair(student_logits, teacher_logits, columns=1))
    # The compiler derives and fuses the formula itself, and has no forward mode for a function of one's own.
    divergence = _divergence if _is_compiling() else _BinaryDivergence.apply
    return times_tau_squared(divergence(student, teacher), tau)


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    divergence = (_softplus(student) - _softplus(teacher)) * torch.sigmoid(-teacher)
    return divergence.addcmul_(_softplus(-student) - _softplus(-teacher), torch.sigmoid(teacher))


def _softplus(logits: Tensor) -> Tensor:
    """Return -log(1 - sigmoid), exact in float64, without the second buffer of ``logsigmoid``."""
    return softplus(logits, threshold=40)


class _BinaryDivergence(torch.autograd.Function):
    """The divergence at temperature 1 with its derivatives in closed form.

    It keeps both logits for the backward pass, which are there anyway, instead of five tensors of their size: a dense
    head has a million scores for each image.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(student: Tensor, teacher: Tensor) -> Tensor:
        return _divergence(student, teacher)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        slopes = zip(_slopes(*ctx.saved_tensors), ctx.needs_input_grad, strict=True)
        to_student, to_teacher = (grad * slope() if is_needed else None for slope, is_needed in slopes)
        return to_student, to_teacher

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        slopes = zip(_slopes(*ctx.saved_tensors), tangents, strict=True)
        return sum(tangent * slope() for slope, tangent in slopes if tangent is not None)  # type: ignore[return-value]


def _slopes(student: Tensor, teacher: Tensor) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """Return the derivatives of the divergence in both logits, computed when called."""
    return (
        lambda: torch.sigmoid(student) - torch.sigmoid(teacher),
        lambda: torch.sigmoid(teacher) * torch.sigmoid(-teacher) * (teacher - student),
    )


def binary_focal_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, beta: float = 1.0
) -> Tensor:
    r"""Compute the quality focal loss of each score, with the teacher's score as the target.

    .. math:: \mathrm{QFL}_{nc} = \tau^2\, |p - q|^{\beta}\, \bigl(-p \log q - (1 - p) \log (1 - q)\bigr), \qquad
        p = \sigma(z^T_{nc} / \tau), \quad q = \sigma(z^S_{nc} / \tau)

    BCKD (Yang et al., ICCV 2023) and CrossKD (Wang et al., CVPR 2024) use it with ``beta`` = 1. Gradients reach the
    student through both factors, as in CrossKD's code.

    Args:
        student_logits: The student's scores before the sigmoid, ``(N, C)``.
        teacher_logits: The teacher's, ``(N, C)``; no gradient reaches them.
        tau: Temperature of both sigmoids. Defaults to 1.0.
        beta: Exponent of the difference. Defaults to 1.0.

    Returns:
        Losses in nats times ``tau ** 2``, ``(N, C)``, float32 or better; 0 where both scores are equal.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` is not above 0.

    Example:
        >>> binary_focal_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
        tensor([[0.0000, 0.2639]])
    """
    student, teacher = (soften(side, tau) for side in check_pair(student_logits, teacher_logits, columns=1))
    target = teacher.sigmoid()
    focus = (student.sigmoid() - target).abs().pow(beta)
    loss = focus * binary_cross_entropy_with_logits(student, target, reduction='none')
    return times_tau_squared(loss, tau)


@torch.no_grad()
def binary_ea_weight(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, mode: str = 'ea', h_ub: float | None = None
) -> Tensor:
    r"""Compute EA-KD's weight of each score, :func:`eakd_det.functional.ea_weight` of a softmax over two.

    .. math:: w_{nc} = \frac{h^T_{nc}}{2} \Bigl(1 + \frac{h^S_{nc}}{\log 2}\Bigr)

    The paper has no sigmoid scores: the form is this package's.

    Args:
        student_logits: The student's scores before the sigmoid, ``(N, C)``.
        teacher_logits: The teacher's, ``(N, C)``.
        tau: Temperature of both entropies. Defaults to 1.0; at 3 the weight is nearly constant.
        mode: See :func:`eakd_det.functional.ea_weight`. Defaults to 'ea'.
        h_ub: Upper bound of the student's entropy, in nats. Defaults to None, which is log 2.

    Returns:
        Weights, ``(N, C)``, float32 or better, not negative, without gradient.

    Raises:
        ConfigError: If shapes or devices differ, ``mode`` is unknown, or ``tau`` or ``h_ub`` is not above 0.

    Example:
        >>> binary_ea_weight(torch.tensor([[0.0, 9.0, 0.0]]), torch.tensor([[0.0, 0.0, 9.0]]))
        tensor([[0.6931, 0.3472, 0.0012]])
    """
    student, teacher = check_pair(student_logits, teacher_logits, columns=1)
    return weigh_entropies(
        lambda: binary_entropy(student, tau), lambda: binary_entropy(teacher, tau), math.log(2), mode, h_ub
    )

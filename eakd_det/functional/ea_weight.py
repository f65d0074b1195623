"""EA-KD's weight of each site."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import Temperature, check_pair
from eakd_det.functional.entropy import entropy

_OLD_NAMES = {'base': 'teacher', 'inverse': 'inverse-ea'}
EAMode: TypeAlias = Literal[
    'ea', 'teacher', 'student', 'interact', 'inverse-ea', 'inverse-teacher', 'inverse-student', 'base', 'inverse'
]
EA_MODES: tuple[str, ...] = get_args(EAMode)


@torch.no_grad()
def ea_weight(
    student_logits: Tensor,
    teacher_logits: Tensor,
    tau: Temperature = 3.0,
    mode: str = 'ea',
    h_ub: float | None = None,
) -> Tensor:
    r"""Compute the entropy-adaptive weight of each site (EA-KD, Eq. 9 to 12).

    With the entropies :math:`H^T_n` and :math:`H^S_n` of teacher and student, both at temperature :math:`\tau`
    (the paper's :math:`T'`, which is not the temperature of the divergence),

    .. math::
        w^{ea}_n = \frac{w^{base}_n + w^{interact}_n}{2} = \frac{H^T_n}{2} \Bigl(1 + \frac{H^S_n}{H_{ub}}\Bigr), \qquad
        w^{base}_n = H^T_n, \qquad w^{interact}_n = \frac{H^T_n H^S_n}{H_{ub}}

    So :math:`w^{ea}` runs from 0, where the teacher is certain, to :math:`\log C`, where neither is.

    ==================  ================================  ==========================================================
    mode                weight                            source
    ==================  ================================  ==========================================================
    'ea'                :math:`w^{ea}`                    EA-KD, Eq. 12
    'teacher', 'base'   :math:`H^T`                       EA-KD, Tables 1 and 9 (there :math:`w^{base}`)
    'student'           :math:`H^S`                       EA-KD, Table 1
    'interact'          :math:`w^{interact}`              EA-KD, Table 9
    'inverse-teacher'   :math:`H_{ub} - H^T`              EA-KD, Table 1
    'inverse-student'   :math:`H_{ub} - H^S`              EA-KD, Table 1
    'inverse-ea'        :math:`\max w^{ea} - w^{ea}`      this package; 'inverse' is its former name
    ==================  ================================  ==========================================================

    An inverse weight has the range of its plain weight in the opposite order. It is the largest possible weight minus
    the plain one: the maximum is :math:`\log C` for an entropy, whatever ``h_ub`` is, and for ``ea``

    .. math:: \max w^{ea} = \frac{\log C}{2} \Bigl(1 + \frac{\log C}{H_{ub}}\Bigr)

    With the default :math:`H_{ub} = \log C` all three are the paper's :math:`H_{ub} - w`. With another ``h_ub`` the
    paper's difference would be negative or nearly constant; this one is neither.

    Settings that reproduce the published code where it departs from the paper: ``h_ub=100`` (its KD and DKD for
    CIFAR-100 divide by 100 instead of log 100, which roughly halves the weight), ``tau=3`` for any configured T' (its
    DKD ignores T'), and ``mode='teacher', tau=4`` (the detection code of the first version, then called ER-KD).

    Args:
        student_logits: The student's class scores, ``(R, C)``, as they leave the classifier.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature :math:`T'` of both entropies; the paper uses 3, and 2 for ImageNet.
        mode: A mode of the table above.
        h_ub: Upper bound of the student's entropy in 'ea', 'interact' and 'inverse-ea', in nats. None is
            :math:`\log C`.

    Returns:
        Weights, ``(R,)``, not negative, without gradient.

    Raises:
        ConfigError: If ``mode`` is unknown, ``h_ub`` is not above 0, or the inputs are invalid.

    Example:
        >>> import torch
        >>> unsure, sure = [0.0, 0.0, 0.0], [9.0, 0.0, 0.0]
        >>> student, teacher = torch.tensor([unsure, sure, unsure]), torch.tensor([unsure, unsure, sure])
        >>> ea_weight(student, teacher)
        tensor([1.0986, 0.7326, 0.3666])
        >>> ea_weight(student, teacher, mode='inverse-teacher')
        tensor([0.0000, 0.0000, 0.7320])
    """
    student, teacher = check_pair(student_logits, teacher_logits)
    log_c = math.log(student.shape[1])
    return weigh_entropies(lambda: entropy(student, tau), lambda: entropy(teacher, tau), log_c, mode, h_ub)


def weigh_entropies(
    student: Callable[[], Tensor], teacher: Callable[[], Tensor], largest: float, mode: str, h_ub: float | None
) -> Tensor:
    """Return the weight of ``mode`` from entropies that are computed if it needs them.

    Args:
        student: Returns the student's entropies.
        teacher: Returns the teacher's.
        largest: The largest entropy possible, in nats.
        mode: See :func:`ea_weight`.
        h_ub: Upper bound of the student's entropy; None is ``largest``.
    """
    if mode not in EA_MODES:
        raise ConfigError(f'mode: expected one of {", ".join(EA_MODES)}, but got {mode!r}')
    if h_ub is not None and not h_ub > 0:
        raise ConfigError(f'h_ub: expected a number > 0, but got {h_ub!r}')
    kind = _OLD_NAMES.get(mode, mode)
    bound = largest if h_ub is None else h_ub
    if kind.endswith(('teacher', 'student')):
        weight, most = (teacher if kind.endswith('teacher') else student)(), largest
    else:
        base = teacher()
        interact = base * student() / bound
        weight, most = interact if kind == 'interact' else (base + interact) / 2, largest * (1 + largest / bound) / 2
    # Rounding may lift an entropy slightly above the largest.
    return (most - weight).clamp(min=0) if kind.startswith('inverse') else weight

"""The weight that EA-KD gives to each sample, here to each proposal."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eakd_det.errors import require_choice, require_positive
from eakd_det.functional._inputs import Temperature, check_pair
from eakd_det.functional.entropy import entropy

EA_MODES = ('ea', 'base', 'interact', 'inverse')


@torch.no_grad()
def ea_weight(
    student_logits: Tensor,
    teacher_logits: Tensor,
    tau: Temperature = 3.0,
    mode: str = 'ea',
    h_ub: float | None = None,
) -> Tensor:
    r"""Entropy-adaptive weight of each proposal (EA-KD, Eq. 9 to 12).

    With the entropies :math:`H^T_n` and :math:`H^S_n` of teacher and student, both at temperature :math:`\tau`
    (the paper's :math:`T'`, which is not the temperature of the divergence),

    .. math::
        w^{base}_n = H^T_n, \qquad
        w^{interact}_n = \frac{H^T_n H^S_n}{H_{ub}}, \qquad
        w^{ea}_n = \frac{w^{base}_n + w^{interact}_n}{2} = \frac{H^T_n}{2} \Bigl(1 + \frac{H^S_n}{H_{ub}}\Bigr)

    So ``ea`` runs from 0, where the teacher is sure, to :math:`\log C`, where neither knows. ``base`` and
    ``interact`` are the ablations of the paper's Table 9. ``inverse`` is the control of its Table 1, where the
    order of the samples is turned round. The paper gives no formula for it in any text we could read; ours is

    .. math:: w^{inverse}_n = \max w^{ea} - w^{ea}_n, \qquad
        \max w^{ea} = \frac{\log C}{2} \Bigl(1 + \frac{\log C}{H_{ub}}\Bigr)

    which has the range of ``ea`` and exactly the opposite order.

    Where the published code departs from the paper, an argument reaches it: ``h_ub=100`` (its KD and DKD for
    CIFAR-100 divide by 100 instead of log 100, which about halves the weight), ``tau=3`` whatever the configuration
    says (its DKD ignores T'), and ``mode='base', tau=4`` (the detection code of the first version, then called
    ER-KD).

    Args:
        student_logits: The student's class scores, ``(R, C)``, as they leave the classifier.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature :math:`T'` of both entropies. Defaults to 3.0; the paper uses 2 for ImageNet.
        mode: 'ea', 'base', 'interact' or 'inverse'. Defaults to 'ea'.
        h_ub: Upper bound of the student's entropy, in nats. Defaults to None, which is :math:`\log C`.

    Returns:
        Weights, ``(R,)``, float32 or better, not negative, without gradient.

    Raises:
        ConfigError: If shapes or devices differ, ``mode`` is unknown, or ``tau`` or ``h_ub`` is not above 0.

    Example:
        >>> import torch
        >>> unsure, sure = [0.0, 0.0, 0.0], [9.0, 0.0, 0.0]
        >>> ea_weight(torch.tensor([unsure, sure, unsure]), torch.tensor([unsure, unsure, sure]))
        tensor([1.0986, 0.7326, 0.3666])
    """
    require_choice('mode', mode, EA_MODES)
    student, teacher = check_pair(student_logits, teacher_logits)
    log_c = math.log(student.shape[1])
    bound = log_c if h_ub is None else require_positive('h_ub', h_ub)
    teacher_entropy = entropy(teacher, tau)
    if mode == 'base':
        return teacher_entropy
    interact = teacher_entropy * entropy(student, tau) / bound
    if mode == 'interact':
        return interact
    ea = (teacher_entropy + interact) / 2
    if mode == 'ea':
        return ea
    # Rounding may lift an entropy a hair above log C.
    return (log_c * (1 + log_c / bound) / 2 - ea).clamp(min=0)

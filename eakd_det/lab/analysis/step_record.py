r"""A few numbers about entropies and losses of a training step, for the figures over training.

Proposals are sorted by the teacher's entropy into quartiles of equal size. With divergences :math:`D_n` and weights
:math:`w_n`, the share of quartile :math:`q` of a loss is :math:`\sum_{n \in q} w_n D_n / \sum_n w_n D_n`; with all
weights 1 it is the share in plain KD on the same student.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from eakd_det.distillation import StepObservation

BINS = 12


def record_step(observation: StepObservation, tau: float = 3.0) -> dict[str, Any]:
    """Return the numbers of one step, ready for JSON; empty if it distilled nothing.

    Args:
        observation: Data of the step.
        tau: Temperature of the entropies.

    Returns:
        ``student`` and ``teacher``: mean entropies in nats of all, foreground and background proposals; ``curve``: mean
        student entropy in each of :data:`BINS` equal bins of teacher entropy from 0 to log C (None if it is empty);
        ``losses``: of each loss with weights of proposals, ``share`` and ``plain_share`` of the quartiles, and mean and
        CV of the weight.
    """
    step = observation.step
    if step is None or not len(step.sites):
        return {}
    scores = step.scores
    student_entropy = _numpy(scores.entropy(step.student.logits, tau))
    teacher_entropy = _numpy(scores.entropy(step.teacher.logits, tau))
    is_foreground = step.sites.is_object.numpy(force=True)
    losses = {
        name: loss_shares(_numpy(terms.divergence), _numpy(terms.weights), teacher_entropy)
        for name, terms in observation.terms.items()
        if terms.unit == 'site'
    }
    return dict(
        proposals=len(step.sites),
        classes=scores.num_columns,
        tau=tau,
        student=_means(student_entropy, is_foreground),
        teacher=_means(teacher_entropy, is_foreground),
        curve=binned_means(teacher_entropy, student_entropy, scores.max_entropy),
        losses=losses,
    )


def quartiles(values: np.ndarray) -> np.ndarray:
    """Return the quartile of each value, 0 (lowest) to 3, as equal in size as possible; ties by order.

    Example:
        >>> quartiles(np.array([0.3, 0.1, 0.2, 0.4])).tolist()
        [2, 0, 1, 3]
    """
    ranks = np.empty(len(values), np.int64)
    ranks[np.argsort(values, kind='stable')] = np.arange(len(values))
    return ranks * 4 // max(len(values), 1)


def loss_shares(divergence: np.ndarray, weights: np.ndarray, teacher_entropy: np.ndarray) -> dict[str, Any]:
    """Return the distribution of one loss over the quartiles of teacher entropy; all arrays are ``(R,)``.

    Example:
        >>> shares = loss_shares(np.array([4.0, 1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0, 3.0]), np.arange(4.0))
        >>> shares['plain_share'], shares['share'], shares['weight_mean']
        ([0.5, 0.125, 0.125, 0.25], [0.0, 0.125, 0.125, 0.75], 1.25)
    """
    groups = quartiles(teacher_entropy)
    result: dict[str, Any] = {}
    for name, values in (('share', weights * divergence), ('plain_share', divergence)):
        total = values.sum()
        result[name] = [float(values[groups == group].sum() / total) if total > 0 else 0.0 for group in range(4)]
    mean = float(weights.mean())
    return dict(**result, weight_mean=mean, weight_cv=float(weights.std() / mean) if mean > 0 else 0.0)


def binned_means(x: np.ndarray, y: np.ndarray, upper: float, bins: int = BINS) -> list[float | None]:
    """Return the mean of ``y`` in each of ``bins`` equal bins of ``x`` from 0 to ``upper``; None for an empty one.

    Example:
        >>> binned_means(np.array([0.1, 0.2, 0.9]), np.array([1.0, 3.0, 5.0]), upper=1.0, bins=3)
        [2.0, None, 5.0]
    """
    index = np.clip((x / upper * bins).astype(np.int64), 0, bins - 1)
    return [float(y[index == bin_].mean()) if (index == bin_).any() else None for bin_ in range(bins)]


def _means(values: np.ndarray, is_foreground: np.ndarray) -> dict[str, float | None]:
    groups = dict(mean=values, foreground=values[is_foreground], background=values[~is_foreground])
    return {name: float(group.mean()) if len(group) else None for name, group in groups.items()}


def _numpy(values: Tensor) -> np.ndarray:
    return values.double().numpy(force=True)

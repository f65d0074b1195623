"""Time the losses of the package against plain code for the same formulas."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from eakd_det.building import build_model
from step_benchmark.timing import spread

EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
KEPT_ROUNDS = 3
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def _weight(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute EA-KD, Eq. 8 to 12, literally, with the epsilon of the published code."""
    with torch.no_grad():
        p_s, p_t = (student / 3.0).softmax(1), (teacher / 3.0).softmax(1)
        h_s = -(p_s * torch.log(p_s + 1e-10)).sum(1)
        h_t = -(p_t * torch.log(p_t + 1e-10)).sum(1)
        return (h_t + h_t * h_s / math.log(student.shape[1])) / 2


def _kd(student: Tensor, teacher: Tensor) -> Tensor:
    return kl_div(student.log_softmax(1), teacher.softmax(1), reduction='none').sum(1)


def _dkd(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    """Compute DKD by masked softmaxes, with a large negative logit for the target."""
    mask = torch.zeros_like(student, dtype=torch.bool).scatter_(1, labels.unsqueeze(1), True)
    p_s, p_t = student.softmax(1), teacher.softmax(1)
    pair_s, pair_t = (torch.stack([(p * mask).sum(1), (p * ~mask).sum(1)], 1) for p in (p_s, p_t))
    target = kl_div(pair_s.log(), pair_t, reduction='none').sum(1)
    others_s, others_t = (logits - 1000.0 * mask for logits in (student, teacher))
    return target + 0.25 * kl_div(others_s.log_softmax(1), others_t.softmax(1), reduction='none').sum(1)


PLAIN_LOSSES: dict[str, Loss] = {
    'KD': lambda s, t, y: _kd(s, t).mean(),
    'EA-KD': lambda s, t, y: (_weight(s, t) * _kd(s, t)).mean(),
    'DKD': lambda s, t, y: _dkd(s, t, y).mean(),
    'EA-DKD': lambda s, t, y: (_weight(s, t) * _dkd(s, t, y)).mean(),
}
LOSSES: dict[str, dict[str, Any]] = {
    'KD': dict(type='eakd_det.KDLoss'),
    'EA-KD': dict(type='eakd_det.KDLoss', weighting=EA),
    'DKD': dict(type='eakd_det.DKDLoss'),
    'EA-DKD': dict(type='eakd_det.DKDLoss', weighting=EA),
}


def measure(rows: int, classes: int, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Time forward plus backward of each loss, interleaved, for about ``seconds`` in total.

    Raises:
        RuntimeError: If the loss of the package and plain code differ by more than 0.1 %.
    """
    generator = torch.Generator().manual_seed(seed)
    student = torch.randn(rows, classes, generator=generator).requires_grad_()
    teacher = 3 * torch.randn(rows, classes, generator=generator)
    labels = torch.randint(classes, (rows,), generator=generator)
    arms: dict[tuple[str, str], Loss] = {}
    for name, cfg in LOSSES.items():
        arms[name, 'package'] = build_model(cfg)
        arms[name, 'plain'] = PLAIN_LOSSES[name]
        value, expected = (float(arms[name, code](student, teacher, labels).detach()) for code in ('package', 'plain'))
        if abs(value - expected) > 1e-3 * abs(expected):
            raise RuntimeError(f'{name} with {rows} rows and {classes} classes: expected {expected}, but got {value}')
    times = _interleave(arms, (student, teacher, labels), seconds)
    result: dict[str, Any] = dict(rows=rows, classes=classes, rounds=len(next(iter(times.values()))))
    for name in LOSSES:
        package, plain = times[name, 'package'], times[name, 'plain']
        ratios = [a / b for a, b in zip(package, plain, strict=True)]
        result[name] = dict(package=spread(package), plain=spread(plain), ratio=spread(ratios))
    return result


def _interleave(
    arms: dict[tuple[str, str], Loss], inputs: tuple[Tensor, Tensor, Tensor], seconds: float
) -> dict[tuple[str, str], list[float]]:
    times: dict[tuple[str, str], list[float]] = {key: [] for key in arms}
    start, rounds = time.perf_counter(), -1
    while rounds < KEPT_ROUNDS or time.perf_counter() - start < seconds:
        for key, loss in arms.items():
            inputs[0].grad = None
            before = time.perf_counter()
            loss(*inputs).backward()
            if rounds >= 0:  # the first round is a warm-up
                times[key].append(time.perf_counter() - before)
        rounds += 1
    return times

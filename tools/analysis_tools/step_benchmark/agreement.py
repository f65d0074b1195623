"""Compare the logits of the arms before timing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from eakd_det.distillation import ProposalDistill
from step_benchmark.dense import as_rows
from step_benchmark.timing import run_step


@dataclass(frozen=True)
class SeenLogits:
    """Class logits of one step, ``(N, C)`` each."""

    student: Tensor
    teacher: Tensor


def logits_of(model: Any, data: dict[str, Any]) -> SeenLogits | None:
    """Run one step of an arm and return the logits that its loss compares, if any."""
    if isinstance(model, ProposalDistill):
        observation = model.distiller.observe_next_step()
        run_step(model, data)
        model.distiller.observer = None
        step = observation.step
        return None if step is None else SeenLogits(step.student.logits, step.teacher.logits)
    run_step(model, data)
    if hasattr(model, 'logits'):
        return SeenLogits(*model.logits)
    distiller = getattr(model, 'distiller', None)
    if distiller is None or not (recorded := {'logits', 'scores'} & set(distiller.student_recorders.recorders)):
        return None
    (name,) = recorded
    buffers = [
        manager.get_recorder(name).data_buffer for manager in (distiller.student_recorders, distiller.teacher_recorders)
    ]
    # A dense head has a map of scores for each level.
    return SeenLogits(*(as_rows(maps) if name == 'scores' else maps[0].detach() for maps in buffers))


def compare(reference: SeenLogits, other: SeenLogits | None, tolerance: float = 1e-3) -> str:
    """Return 'equal', 'other boxes', 'teacher off by ...' or 'none', for the table."""
    if other is None:
        return 'none'
    if other.student.shape != reference.student.shape or not torch.allclose(
        other.student, reference.student, atol=tolerance
    ):
        return 'other boxes'
    worst = float((other.teacher.float() - reference.teacher.float()).abs().max())
    scale = float(reference.teacher.abs().max())
    return 'equal' if worst <= tolerance * max(scale, 1.0) else f'teacher off by {worst / scale:.1%}'

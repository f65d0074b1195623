"""The parts of a distillation from its config: student, teacher, distiller; and whether they go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from eakd_det.building import build_model
from eakd_det.distillation.distiller import ProposalDistiller
from eakd_det.errors import ConfigError
from eakd_det.models.model_config import build_detector
from eakd_det.sites import MODEL_KEYS, Side, SiteHead, find_head


@dataclass(frozen=True)
class Parts:
    """What a step consists of.

    Attributes:
        student: The student's head, with its detector.
        teacher: The teacher's, before its weights are loaded.
        distiller: The distiller, which knows the meaning of the student's scores.
    """

    student: SiteHead
    teacher: SiteHead
    distiller: ProposalDistiller


def build_parts(
    student: Any, teacher: Any, distiller: dict[str, Any], stages: tuple[int, int], same_classes: bool
) -> Parts:
    """Build and compare the parts.

    Args:
        student: ``model.architecture``.
        teacher: ``model.teacher``.
        distiller: ``model.distiller``.
        stages: Indices of the heads in a student and a teacher with several.
        same_classes: Whether both networks must have as many classes.

    Raises:
        ConfigError: If a part cannot be built, or the parts do not go together.
    """
    student_head = _build_head(student, 'student', stages[0])
    with torch.random.fork_rng(devices=[]):  # the student's training draws the same numbers as without distillation
        teacher_head = _build_head(teacher, 'teacher', stages[1])
        built = build_model(distiller)
    if not isinstance(built, ProposalDistiller):
        raise ConfigError(
            f"model.distiller.type: expected 'eakd_det.ProposalDistiller', but got {type(built).__name__}"
        )
    reason = student_head.why_not(teacher_head, same_classes=same_classes)
    if reason is None and built.wanted.embeddings:
        reason = student_head.why_no_embeddings()
    if reason is None and built.wanted.after:
        reason = student_head.why_not_after(teacher_head, built.wanted.after)
    if reason is None and built.needs_corners:
        reason = student_head.why_no_corners() or teacher_head.why_no_corners()
    if reason is None and built.needs_valuable_region:
        reason = student_head.why_no_valuable_region()
    if reason is not None:
        raise ConfigError(reason)
    built.set_scores(student_head.scores)
    return Parts(student_head, teacher_head, built)


def _build_head(cfg: Any, side: Side, stage: int) -> SiteHead:
    head = find_head(build_detector(cfg, MODEL_KEYS[side]), side, stage)
    head.prepare()
    return head


def attach_recorders(
    distiller: ProposalDistiller, student: nn.Module, teacher: nn.Module, module_inplace: bool | None
) -> None:
    """Attach the distiller's recorders to both networks.

    ``module_inplace=None`` turns in-place activations off if a recorder could keep a tensor that one overwrites; False
    always does, True never.
    """
    distiller.prepare_from_student(student)
    distiller.prepare_from_teacher(teacher)
    if not (module_inplace if module_inplace is not None else not distiller.records_modules):
        for module in (*student.modules(), *teacher.modules()):
            if hasattr(module, 'inplace'):
                module.inplace = False  # type: ignore[assignment]

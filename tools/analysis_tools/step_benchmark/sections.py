"""Measure the time of each part of student, teacher and distiller in a step."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from mmdet.models import BaseDetector

from eakd_det.distillation import ProposalDistill


class Sections:
    """Seconds of named parts, excluding nested parts. For a single thread on a CPU."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def wrap(self, owner: Any, method: str, name: str) -> None:
        """Add the time of ``owner.method`` to the part ``name``."""
        original: Callable[..., Any] = getattr(owner, method)

        @functools.wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inside.append(0.0)
            start = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                total = time.perf_counter() - start
                self.seconds[name] += total - self._inside.pop()
                if self._inside:
                    self._inside[-1] += total

        setattr(owner, method, timed)

    def watch(self, model: Any) -> None:
        """Wrap all parts of a distillation or of a plain detector."""
        student = model.student if isinstance(model, ProposalDistill) else model
        self.wrap(model.data_preprocessor, 'forward', 'normalise and pad')
        self.wrap(model, 'loss', 'rest of the forward pass')
        for owner, method, name in _student_parts(student):
            self.wrap(owner, method, f'student: {name}')
        if isinstance(model, ProposalDistill):
            for owner, method, name in _teacher_parts(model.teacher):
                self.wrap(owner, method, f'teacher: {name}')
            self.wrap(model._teacher, 'predict', 'teacher: input, layouts, rest')
            self.wrap(model.distiller, 'compute_distill_losses', 'distillation losses')
            self.wrap(model.distiller, 'end_step', 'statistics')


def _teacher_parts(detector: BaseDetector) -> Iterator[tuple[Any, str, str]]:
    yield detector.backbone, 'forward', 'backbone'
    yield detector.neck, 'forward', 'FPN'
    yield detector.roi_head.bbox_roi_extractor, 'forward', 'RoIAlign'
    yield detector.roi_head.bbox_head, 'forward', 'box head'


def _student_parts(detector: BaseDetector) -> Iterator[tuple[Any, str, str]]:
    yield from _teacher_parts(detector)
    yield detector.rpn_head, 'forward', 'RPN head'
    yield detector.rpn_head, 'loss_by_feat', 'RPN assignment and loss'
    yield detector.rpn_head, 'predict_by_feat', 'proposals (NMS)'
    yield detector.roi_head.bbox_assigner, 'assign', 'assignment and sampling'
    yield detector.roi_head.bbox_sampler, 'sample', 'assignment and sampling'
    yield detector.roi_head.bbox_head, 'get_targets', 'box loss'
    yield detector.roi_head.bbox_head, 'loss', 'box loss'

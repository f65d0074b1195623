"""Hooks that stop a bad run (a poor teacher, a loss or weights that are not finite) or end distillation early."""

from __future__ import annotations

from eakd_det.hooks.non_finite_loss import NonFiniteLossHook
from eakd_det.hooks.stop_distillation import StopDistillationHook
from eakd_det.hooks.teacher_preflight import TeacherPreflightHook

__all__ = ['NonFiniteLossHook', 'StopDistillationHook', 'TeacherPreflightHook']

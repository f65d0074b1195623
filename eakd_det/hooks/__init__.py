"""Hooks that refuse: a teacher that detects nothing, a loss that is no number, weights that are none."""

from __future__ import annotations

from eakd_det.hooks.non_finite_loss import NonFiniteLossHook
from eakd_det.hooks.teacher_preflight import TeacherPreflightHook

__all__ = ['NonFiniteLossHook', 'TeacherPreflightHook']

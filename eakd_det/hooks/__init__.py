"""Hooks that refuse: a teacher that detects nothing, a loss that is no number, weights that are none."""

from __future__ import annotations

from eakd_det.hooks.non_finite_loss import NonFiniteLossHook

__all__ = ['NonFiniteLossHook']

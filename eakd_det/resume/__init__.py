"""Exact resume: checkpoints that survive a kill, and the random numbers of an uninterrupted run."""

from __future__ import annotations

from eakd_det.resume.checkpoint_hook import SafeCheckpointHook
from eakd_det.resume.exact_resume_hook import ExactResumeHook
from eakd_det.resume.latest import latest_checkpoint

__all__ = ['ExactResumeHook', 'SafeCheckpointHook', 'latest_checkpoint']

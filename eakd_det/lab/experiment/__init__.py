"""A grid of arms × seeds over one data set: resumable runs, their records, and one table.

This module has the hooks of every run; only ``tools/experiment.py`` imports the rest.
"""

from __future__ import annotations

from eakd_det.lab.experiment.start_hook import StartHook
from eakd_det.lab.experiment.watch_hook import WatchHook

__all__ = ['StartHook', 'WatchHook']

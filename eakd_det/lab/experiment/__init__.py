"""A grid of arms × seeds over one data set: runs that can be resumed, their records, and one table of them.

Here are the hooks that every run of it carries; the rest is imported by ``tools/experiment.py`` alone.
"""

from __future__ import annotations

from eakd_det.lab.experiment.start_hook import StartHook
from eakd_det.lab.experiment.watch_hook import WatchHook

__all__ = ['StartHook', 'WatchHook']

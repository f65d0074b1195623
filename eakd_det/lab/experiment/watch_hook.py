"""A hook that records the progress of a run and the duration of its training."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from eakd_det.arguments import checked
from eakd_det.evaluation import measured_figures
from eakd_det.files import write_json

PROGRESS_NAME = 'progress.json'
_STATE = 'eakd_det_watch'  # in the message hub, which is part of checkpoints


class WatchHook(Hook):
    """Keeps ``<work_dir>/progress.json`` up to date: iteration, seconds, AP so far, and whether training has ended.

    ``seconds`` is the time of the training steps with their data loading and checkpoints, without evaluation and
    without the start of the process, summed over resumes; ``resumes`` is their number. ``fastest_step`` is the
    shortest of these steps in seconds. With a GPU, ``gpu_memory_mib`` is the peak of what PyTorch allocated on it.
    ``start_memory_mib`` and ``memory_mib`` are the resident memory of the process before the first step and its peak
    (Linux alone).

    Args:
        every_seconds: Shortest time between two writes during training. Defaults to 1.0.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.WatchHook')]  # tools/experiment.py adds it by itself
    """

    priority = 'NORMAL'  # before the checkpoint hook, which saves the sums

    @checked
    def __init__(self, every_seconds: float = 1.0) -> None:
        self.every_seconds = every_seconds
        self._seconds = self._mark = self._written = 0.0
        self._resumes = 0
        self._last: float | None = None
        self._fastest: float | None = None
        self._start_memory: float | None = None

    def before_train(self, runner: Runner) -> None:
        """Start or continue the clock."""
        before = runner.message_hub.get_info(_STATE, None) if runner.iter > 0 else None
        self._seconds = before['seconds'] if before else 0.0
        self._resumes = (before['resumes'] if before else 0) + (runner.iter > 0)
        self._last = None
        self._start_memory = _resident_mib('VmRSS')
        self._mark = time.monotonic()
        self._write(runner, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Add the step's time."""
        now = time.monotonic()
        step = now - self._mark
        self._seconds += step
        self._fastest = step if self._fastest is None else min(step, self._fastest)
        self._mark = now
        runner.message_hub.update_info(_STATE, dict(seconds=self._seconds, resumes=self._resumes))
        if now - self._written >= self.every_seconds:
            self._write(runner, runner.iter + 1)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Record the AP."""
        self._last = measured_figures(metrics, runner.val_evaluator)['AP']
        self._write(runner, runner.iter)

    def after_val(self, runner: Runner) -> None:
        """Continue the clock after the evaluation, which does not count."""
        self._mark = time.monotonic()

    def after_train(self, runner: Runner) -> None:
        """Record the end of training."""
        self._write(runner, runner.iter, finished=True)

    def _write(self, runner: Runner, iteration: int, finished: bool = False) -> None:
        self._written = time.monotonic()
        if not is_main_process():
            return
        state = dict(
            iteration=iteration,
            max_iters=runner.max_iters,
            seconds=round(self._seconds, 3),
            resumes=self._resumes,
            fastest_step=self._fastest and round(self._fastest, 4),
            start_memory_mib=self._start_memory,
            memory_mib=_resident_mib('VmHWM'),
            AP=self._last,
            finished=finished,
        )
        if torch.cuda.is_available():
            state['gpu_memory_mib'] = round(torch.cuda.max_memory_allocated() / 2**20)
        write_json(Path(runner.work_dir) / PROGRESS_NAME, state)


def _resident_mib(name: str) -> float | None:
    """Return a size from the status of this process in MiB; None where the system has no such file."""
    try:
        status = Path('/proc/self/status').read_text()
    except OSError:
        return None
    sizes = dict(line.split(':', 1) for line in status.splitlines() if ':' in line)
    return round(int(sizes[name].split()[0]) / 1024) if name in sizes else None

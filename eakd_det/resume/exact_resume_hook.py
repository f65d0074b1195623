"""Make a resumed run identical to an uninterrupted one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmengine.dist import broadcast_object_list, get_rank, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from eakd_det.evaluation import CocoEvalHook
from eakd_det.resume.random_numbers import STEP, seed_random_numbers
from eakd_det.resume.seeded_batches import SeededBatches, can_restart, sampler_of

STATE = 'eakd_det_resume'


class ExactResumeHook(Hook):
    """Give a resumed run the batches, random numbers and validations of an uninterrupted one.

    MMEngine restores weights, optimizer, schedules, EMA and its message hub. It does not restore random states, and
    reads all past batches again to find its place in the data. With this hook:

    * The random numbers of a training step derive from (seed, process, iteration), those of an augmentation from
      (seed, position of the sample), for any number of workers.
    * Only the sampler is advanced; no past image is read. An interrupted epoch continues where it stopped.
    * The checkpoint also holds the running sums of the logged statistics and the sampler's seed.
    * A validation that the interruption prevented is run first.

    The random numbers differ from those of a run without the hook, as between two seeds. For samplers other than
    MMEngine's, the order of the data is left to MMEngine, with a warning.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.ExactResumeHook')]  # tools/train.py adds it
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._resumed: dict[str, Any] | None = None
        self._validated = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Record the iteration of the validation."""
        self._validated = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the state that no state dict holds."""
        statistics = _statistics(runner)
        checkpoint[STATE] = dict(
            validated=checkpoint['meta']['iter'] == self._validated,
            sampler_seed=getattr(sampler_of(runner.train_dataloader), 'seed', None),
            statistics=None if statistics is None else statistics.state_dict(),
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the saved state for :meth:`before_train`."""
        self._resumed = checkpoint.get(STATE)

    def before_train(self, runner: Runner) -> None:
        """Restore statistics and position in the data, and run a missed validation."""
        resumed = runner.iter > 0
        state = (self._resumed or {}) if resumed else {}
        if resumed and not state:
            _warn('the checkpoint was written without ExactResumeHook; the run continues with other random numbers')
        statistics = _statistics(runner)
        if statistics is not None and state.get('statistics'):
            statistics.load_state_dict(state['statistics'], next(runner.model.parameters()).device)
        _warn_of_lost_gradients(runner)
        _set_batches(runner, state.get('sampler_seed'))
        if resumed and _is_validation_due(runner):
            _run_missed_validation(runner, state.get('validated'))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed the random numbers of this iteration."""
        seed_random_numbers(runner.seed, STEP, get_rank(), runner.iter)


class _EndlessBatches:
    """Replacement for MMEngine's iterator: the past batches that a resumed loop discards are not read."""

    def __init__(self, batches: SeededBatches, past: int) -> None:
        self._past = past
        self._batches: Iterator[Any] = batches.endlessly(past)

    def __iter__(self) -> _EndlessBatches:
        return self

    def __next__(self) -> Any:
        if self._past > 0:
            self._past -= 1
            return None
        return next(self._batches)

    def skip_iter(self, num_iters: int) -> None:
        """Discard past batches at once, as OneDL's MMEngine does when it resumes."""
        self._past = max(self._past - num_iters, 0)


def _set_batches(runner: Runner, sampler_seed: int | None) -> None:
    loop = runner.train_loop
    is_supported = type(loop).run in (IterBasedTrainLoop.run, EpochBasedTrainLoop.run)
    if not is_supported or not can_restart(loop.dataloader):
        name = type(sampler_of(loop.dataloader) if is_supported else loop).__name__
        _warn(f'ExactResumeHook does not support {name}; MMEngine determines the order of the data after a resume')
        return
    batches = SeededBatches(loop.dataloader, runner.seed, sampler_seed)
    if isinstance(loop, IterBasedTrainLoop):
        loop.dataloader_iterator = _EndlessBatches(batches, loop.iter)
        loop.dataloader._iterator = None  # stops persistent workers that the loop started when it was built
    else:
        batches.skip = max(loop.iter - loop.epoch * len(batches), 0)
        loop.dataloader = batches


def _is_validation_due(runner: Runner) -> bool:
    loop = runner.train_loop
    if runner.val_loop is None or type(loop).run not in (IterBasedTrainLoop.run, EpochBasedTrainLoop.run):
        return False
    is_by_epoch = isinstance(loop, EpochBasedTrainLoop)
    if is_by_epoch and loop.iter != loop.epoch * len(loop.dataloader):
        return False
    loop._decide_current_val_interval()
    now, end = (loop.epoch, loop.max_epochs) if is_by_epoch else (loop.iter, loop.max_iters)
    return now >= loop.val_begin and (now % loop.val_interval == 0 or now == end)


def _run_missed_validation(runner: Runner, is_done: bool | None) -> None:
    """Run the validation, or only record it if the checkpoint holds its result.

    Args:
        runner: The runner.
        is_done: Whether the checkpoint includes the validation; None, in older checkpoints, consults the record.
    """
    records = [hook for hook in runner.hooks if isinstance(hook, CocoEvalHook)]
    missing = [is_main_process() and not all(hook.has_validated(runner) for hook in records)]
    broadcast_object_list(missing)
    if is_done and missing[0]:  # killed after the checkpoint was written and before the record was
        scalars = {name: history for name, history in runner.message_hub.log_scalars.items() if name.startswith('val/')}
        metrics = {name.removeprefix('val/'): float(history.current()) for name, history in scalars.items()}
        for hook in records:
            hook.after_val_epoch(runner, metrics)
    elif is_done is False or (is_done is None and (missing[0] or not records)):
        runner.logger.info(f'Running the missed validation of iteration {runner.iter}')
        runner.val_loop.run()


def _statistics(runner: Runner) -> Any:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    statistics = getattr(getattr(model, 'distiller', None), 'statistics', None)
    return statistics if hasattr(statistics, 'load_state_dict') else None


def _warn_of_lost_gradients(runner: Runner) -> None:
    steps = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    if runner.iter % steps:
        _warn(
            f'gradients are accumulated over {steps} iterations, but the run resumes from iteration {runner.iter}, so '
            f'those of the unfinished step are lost. Set default_hooks.checkpoint.interval to a multiple of {steps}'
        )


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)

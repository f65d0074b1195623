"""The hook that makes a resumed run go on exactly as if it had not been interrupted."""

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
    """Lets a resumed run see the batches, the random numbers and the validations that an uninterrupted one sees.

    MMEngine restores weights, optimizer, schedules, EMA and its message hub. It restores no random states, and finds
    its place in the data by reading all past batches again. With this hook

    * the random numbers of a training step derive from (seed, process, iteration), those of a sample's augmentation
      from (seed, position in the order of samples), whoever reads it;
    * the sampler alone is run forward to the place, and no image read for it; an epoch that was cut off goes on where
      it was;
    * the sums of the logged statistics and the sampler's seed, which is a drawn one if the config sets none, travel in
      the checkpoint;
    * a validation that was due when the run ended, and is not in the checkpoint, is made up for.

    Random numbers differ from those of a run without the hook, as they do between two seeds. Data in another order
    than MMEngine's samplers give are left to MMEngine, with a warning.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.ExactResumeHook')]  # tools/train.py adds it by itself
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self._resumed: dict[str, Any] | None = None
        self._validated = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Remember where the last validation was."""
        self._validated = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add what a resume needs and no state dict holds."""
        statistics = _statistics(runner)
        checkpoint[STATE] = dict(
            validated=checkpoint['meta']['iter'] == self._validated,
            sampler_seed=getattr(sampler_of(runner.train_dataloader), 'seed', None),
            statistics=None if statistics is None else statistics.state_dict(),
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep it until it is known whether this is a resume."""
        self._resumed = checkpoint.get(STATE)

    def before_train(self, runner: Runner) -> None:
        """Put the data loop in its place, and make up for a validation."""
        resumed = runner.iter > 0
        state = (self._resumed or {}) if resumed else {}
        if resumed and not state:
            _warn('the checkpoint was written without ExactResumeHook; the run goes on with other random numbers')
        statistics = _statistics(runner)
        if statistics is not None and state.get('statistics'):
            statistics.load_state_dict(state['statistics'], next(runner.model.parameters()).device)
        _warn_of_lost_gradients(runner)
        _set_batches(runner, state.get('sampler_seed'))
        if resumed and _is_validation_due(runner):
            _make_up_for_validation(runner, state.get('validated'))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed for this step."""
        seed_random_numbers(runner.seed, STEP, get_rank(), runner.iter)


class _EndlessBatches:
    """Stands in for MMEngine's iterator, whose first items a resumed loop throws away: they cost nothing here."""

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


def _set_batches(runner: Runner, sampler_seed: int | None) -> None:
    loop = runner.train_loop
    is_known = type(loop).run in (IterBasedTrainLoop.run, EpochBasedTrainLoop.run)
    if not is_known or not can_restart(loop.dataloader):
        name = type(sampler_of(loop.dataloader) if is_known else loop).__name__
        _warn(f'{name} is not known to ExactResumeHook; the order of the data after a resume is up to MMEngine')
        return
    batches = SeededBatches(loop.dataloader, runner.seed, sampler_seed)
    if isinstance(loop, IterBasedTrainLoop):
        loop.dataloader_iterator = _EndlessBatches(batches, loop.iter)
        loop.dataloader._iterator = None  # else persistent workers, started when the loop was built, live on
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


def _make_up_for_validation(runner: Runner, is_done: bool | None) -> None:
    """``is_done`` is what the checkpoint says; if it says nothing, the record of the run is asked."""
    records = [hook for hook in runner.hooks if isinstance(hook, CocoEvalHook)]
    missing = [is_main_process() and not all(hook.has_validated(runner) for hook in records)]
    broadcast_object_list(missing)
    if is_done and missing[0]:  # killed after the checkpoint was written and before the record was
        scalars = {name: history for name, history in runner.message_hub.log_scalars.items() if name.startswith('val/')}
        metrics = {name.removeprefix('val/'): float(history.current()) for name, history in scalars.items()}
        for hook in records:
            hook.after_val_epoch(runner, metrics)
    elif is_done is False or (is_done is None and (missing[0] or not records)):
        runner.logger.info(f'Making up for the validation after iteration {runner.iter}')
        runner.val_loop.run()


def _statistics(runner: Runner) -> Any:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    statistics = getattr(getattr(model, 'distiller', None), 'statistics', None)
    return statistics if hasattr(statistics, 'load_state_dict') else None


def _warn_of_lost_gradients(runner: Runner) -> None:
    steps = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    if runner.iter % steps:
        _warn(
            f'gradients are accumulated over {steps} iterations, and the run goes on at iteration {runner.iter}; those '
            'of the step that was begun are lost. Save checkpoints at multiples (default_hooks.checkpoint.interval)'
        )


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)

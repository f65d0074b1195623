"""The hook that ends a run whose loss is no number, or leaves the step out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner, find_latest_checkpoint
from torch import Tensor

from eakd_det.arguments import CountOrZero, checked
from eakd_det.errors import ConfigError
from eakd_det.hooks.finite import checkpoint_tensors, non_finite, training_state
from eakd_det.hooks.step_guard import StepGuard

_KEY = 'custom_hooks.NonFiniteLossHook'
_SHOWN = 5


class NonFiniteLossHook(Hook):
    """Notices the first loss that is NaN or infinite, and says which term, in which iteration, on which images.

    ``policy='stop'`` ends the run there. ``policy='skip'`` leaves the optimizer step out, logs a warning, and
    ends the run when that happens too often. A step that AMP's ``GradScaler`` leaves out because of an overflow in the
    gradients has a finite loss and is not counted.

    Before anything is trained and before a checkpoint is written or an older one removed, weights, running statistics
    and the optimizer's memory are looked at, too: a run whose weights are no numbers neither starts nor saves.

    Cost: with 'stop' the losses are read after the step, when MMEngine's own ``RuntimeInfoHook`` reads every one of
    them as well. 'skip' has to know before the backward pass, so the host waits for the forward pass to end. The look
    at the weights reads all of them once a checkpoint, validation and epoch.

    Args:
        policy: 'stop' or 'skip'. Defaults to 'stop'.
        limit: With 'skip', how many iterations of a run may be left out; a resumed run counts anew. Defaults to 20.
        limit_in_a_row: With 'skip', how many of them one after the other. Defaults to 3.

    Raises:
        ConfigError: If an argument is out of range; in use, as described.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.NonFiniteLossHook', policy='skip', limit=5)]
    """

    priority = 'VERY_HIGH'

    @checked
    def __init__(
        self, policy: Literal['stop', 'skip'] = 'stop', limit: CountOrZero = 20, limit_in_a_row: CountOrZero = 3
    ) -> None:
        self.policy = policy
        self.limit = limit
        self.limit_in_a_row = limit_in_a_row
        self.skipped = 0
        self._in_a_row = 0
        self._guard: StepGuard | None = None
        self._is_training = False

    def before_train(self, runner: Runner) -> None:
        """Refuse to start from weights that are no numbers; with 'skip', get between loss and step."""
        bad = _bad_weights(runner)
        if bad:
            raise ConfigError(
                f'load_from, --resume, init_cfg: expected finite weights, but they are not in {_first(bad)}'
            )
        self._is_training = True
        self.skipped = self._in_a_row = 0
        if self.policy == 'skip':
            if not isinstance(runner.optim_wrapper, OptimWrapper):
                raise ConfigError(
                    f"{_KEY}.policy: expected 'stop', because steps of {type(runner.optim_wrapper).__name__} cannot be "
                    f'left out, but got {self.policy!r}'
                )
            self._guard = StepGuard(runner.optim_wrapper)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Look at the losses of the iteration, and at the weights if a checkpoint is due."""
        bad = _bad_terms(outputs or {})
        skipped = self._guard is not None and self._guard.skipped
        if skipped:
            self._count_skip(runner, bad, data_batch)
        elif bad:
            raise ConfigError(f'{_describe(runner, bad, data_batch)}; {self._advice(runner)}')
        else:
            self._in_a_row = 0
        if skipped or _is_checkpoint_due(runner):
            self._require_finite_weights(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the weights before a checkpoint of this epoch replaces an older one."""
        self._require_finite_weights(runner, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Look at the weights before a best checkpoint replaces an older one."""
        if self._is_training:
            self._require_finite_weights(runner, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Whoever saves: not this."""
        bad = non_finite(checkpoint_tensors(checkpoint))
        if bad:
            raise ConfigError(
                f'checkpoint: not written, because there are values that are not finite in {_first(bad)}; '
                f'{self._advice(runner)}'
            )

    def _count_skip(self, runner: Runner, bad: dict[str, float], data_batch: Any) -> None:
        self.skipped += 1
        self._in_a_row += 1
        what = _describe(runner, bad, data_batch)
        for name, count, limit in (
            ('limit', self.skipped, self.limit),
            ('limit_in_a_row', self._in_a_row, self.limit_in_a_row),
        ):
            if count > limit:
                raise ConfigError(
                    f'{what}; {_KEY}.{name}={limit} iterations were left out before; {_last_checkpoint(runner)}'
                )
        runner.logger.warning(f'{what}; its step is left out ({self.skipped} of at most {self.limit})')

    def _require_finite_weights(self, runner: Runner, iteration: int) -> None:
        bad = _bad_weights(runner)
        if bad:
            raise ConfigError(
                f'weights: expected finite numbers, but there are others in {_first(bad)} after iteration {iteration}; '
                f'{self._advice(runner)}'
            )

    def _advice(self, runner: Runner) -> str:
        skip = f", or leave such steps out with {_KEY}.policy='skip'" if self.policy == 'stop' else ''
        return (
            f'lower optim_wrapper.optimizer.lr or set optim_wrapper.clip_grad=dict(max_norm=35){skip}; '
            f'{_last_checkpoint(runner)}'
        )


def _bad_terms(outputs: dict[str, Any]) -> dict[str, float]:
    """The losses that are no finite numbers; their sum only where no term of it is."""
    losses = {name: value for name, value in outputs.items() if 'loss' in name and isinstance(value, Tensor)}
    bad = {name: float(losses[name].detach().float().mean()) for name in non_finite(losses)}
    bad |= {k: v for k, v in outputs.items() if 'loss' in k and isinstance(v, float) and not math.isfinite(v)}
    return {name: value for name, value in bad.items() if name != 'loss' or len(bad) == 1}


def _describe(runner: Runner, bad: dict[str, float], data_batch: Any) -> str:
    terms = ', '.join(f'{name}={value}' for name, value in bad.items()) or 'a loss of another process'
    images = _image_ids(data_batch)
    where = f'images {", ".join(map(str, images))}' if images else 'images that do not tell their ids'
    return f'loss: expected finite numbers, but got {terms} in iteration {runner.iter + 1} on {where}'


def _image_ids(data_batch: Any) -> list[Any]:
    """Ids, or else paths, of the images of a batch; of several branches, all."""
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    branches: Sequence[Any] = list(samples.values()) if isinstance(samples, dict) else [samples or []]
    metas = [getattr(sample, 'metainfo', {}) for branch in branches for sample in branch]
    return [meta.get('img_id', meta.get('img_path')) for meta in metas if {'img_id', 'img_path'} & set(meta)]


def _is_checkpoint_due(runner: Runner) -> bool:
    """Whether one of MMEngine's hooks will save after this iteration; it removes an old file before it writes."""
    return any(
        hook.every_n_train_iters(runner, hook.interval, hook.save_begin) or hook.is_last_train_iter(runner)
        for hook in runner.hooks
        if isinstance(hook, CheckpointHook) and not hook.by_epoch
    )


def _bad_weights(runner: Runner) -> tuple[str, ...]:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return non_finite(training_state(model, getattr(runner.optim_wrapper, 'optimizer', None)))


def _first(names: tuple[str, ...]) -> str:
    count = '1 tensor' if len(names) == 1 else f'{len(names)} tensors'
    return f'{count} ({", ".join(names[:_SHOWN])}{", ..." if len(names) > _SHOWN else ""})'


def _last_checkpoint(runner: Runner) -> str:
    saved = [hook.last_ckpt for hook in runner.hooks if isinstance(hook, CheckpointHook) and hook.last_ckpt]
    last = saved[-1] if saved else find_latest_checkpoint(runner.work_dir) if runner._resume else None
    return f'the last good checkpoint is {last}' if last else 'there is no checkpoint of this run yet'

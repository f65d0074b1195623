"""Stop a run at a loss that is NaN or infinite, or skip the optimizer step."""

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
    """Report the first loss that is NaN or infinite, with its term, iteration and images, and stop or skip.

    ``policy='stop'`` ends the run. ``policy='skip'`` skips the optimizer step, logs a warning, and ends the run when
    that happens too often. Steps that AMP's ``GradScaler`` skips because of infinite gradients are not counted: their
    losses are finite.

    Weights, running statistics and optimizer state are checked before training starts, before a checkpoint is written
    and before an older one is removed. A run with non-finite weights neither starts nor saves.

    Cost: 'stop' reads the losses after the step, when MMEngine's ``RuntimeInfoHook`` reads them as well. 'skip' needs
    them before the backward pass, so the host waits for the forward pass. The weights are read once per checkpoint,
    validation and epoch.

    Args:
        policy: 'stop' or 'skip'. Defaults to 'stop'.
        limit: With 'skip', the most iterations to skip in a run; a resumed run starts at 0. Defaults to 20.
        limit_in_a_row: With 'skip', the most consecutive iterations to skip. Defaults to 3.

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
        """Refuse to start from non-finite weights; with 'skip', guard the optimizer steps."""
        bad = _bad_weights(runner)
        if bad:
            raise ConfigError(f'load_from, --resume, init_cfg: expected finite weights, but got {_list_tensors(bad)}')
        self._is_training = True
        self.skipped = self._in_a_row = 0
        if self.policy == 'skip':
            if not isinstance(runner.optim_wrapper, OptimWrapper):
                raise ConfigError(
                    f"{_KEY}.policy: expected 'stop', because steps of {type(runner.optim_wrapper).__name__} cannot be "
                    f'skipped, but got {self.policy!r}'
                )
            self._guard = StepGuard(runner.optim_wrapper)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Check the losses of the iteration, and the weights if a checkpoint is due."""
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
        """Check the weights before a checkpoint of this epoch replaces an older one."""
        self._require_finite_weights(runner, runner.iter)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Check the weights before a best checkpoint replaces an older one."""
        if self._is_training:
            self._require_finite_weights(runner, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to save non-finite values, whichever hook saves."""
        bad = non_finite(checkpoint_tensors(checkpoint))
        if bad:
            raise ConfigError(
                f'checkpoint: not written; expected finite values, but got {_list_tensors(bad)}; {self._advice(runner)}'
            )

    def _count_skip(self, runner: Runner, bad: dict[str, float], data_batch: Any) -> None:
        self.skipped += 1
        self._in_a_row += 1
        description = _describe(runner, bad, data_batch)
        for name, count, limit in (
            ('limit', self.skipped, self.limit),
            ('limit_in_a_row', self._in_a_row, self.limit_in_a_row),
        ):
            if count > limit:
                raise ConfigError(
                    f'{description}; {_KEY}.{name}={limit} iterations were skipped before; {_last_checkpoint(runner)}'
                )
        runner.logger.warning(f'{description}; skipping the step ({self.skipped} of at most {self.limit})')

    def _require_finite_weights(self, runner: Runner, iteration: int) -> None:
        bad = _bad_weights(runner)
        if bad:
            raise ConfigError(
                f'weights: expected finite values, but got {_list_tensors(bad)} after iteration {iteration}; '
                f'{self._advice(runner)}'
            )

    def _advice(self, runner: Runner) -> str:
        skip = f", or skip such steps with {_KEY}.policy='skip'" if self.policy == 'stop' else ''
        return (
            f'lower optim_wrapper.optimizer.lr or set optim_wrapper.clip_grad=dict(max_norm=35){skip}; '
            f'{_last_checkpoint(runner)}'
        )


def _bad_terms(outputs: dict[str, Any]) -> dict[str, float]:
    """Return the losses that are not finite; their sum only if all terms are finite."""
    losses = {name: value for name, value in outputs.items() if 'loss' in name and isinstance(value, Tensor)}
    bad = {name: float(losses[name].detach().float().mean()) for name in non_finite(losses)}
    bad |= {k: v for k, v in outputs.items() if 'loss' in k and isinstance(v, float) and not math.isfinite(v)}
    return {name: value for name, value in bad.items() if name != 'loss' or len(bad) == 1}


def _describe(runner: Runner, bad: dict[str, float], data_batch: Any) -> str:
    terms = ', '.join(f'{name}={value}' for name, value in bad.items()) or 'a loss of another process'
    images = _image_ids(data_batch)
    where = f'images {", ".join(map(str, images))}' if images else 'images without ids'
    return f'loss: expected finite values, but got {terms} in iteration {runner.iter + 1} on {where}'


def _image_ids(data_batch: Any) -> list[Any]:
    """Return the ids, or else paths, of the images of a batch, over all branches."""
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    branches: Sequence[Any] = list(samples.values()) if isinstance(samples, dict) else [samples or []]
    metas = [getattr(sample, 'metainfo', {}) for branch in branches for sample in branch]
    return [meta.get('img_id', meta.get('img_path')) for meta in metas if {'img_id', 'img_path'} & set(meta)]


def _is_checkpoint_due(runner: Runner) -> bool:
    """Return whether one of MMEngine's hooks will save, and thus remove an old file, after this iteration."""
    return any(
        hook.every_n_train_iters(runner, hook.interval, hook.save_begin) or hook.is_last_train_iter(runner)
        for hook in runner.hooks
        if isinstance(hook, CheckpointHook) and not hook.by_epoch
    )


def _bad_weights(runner: Runner) -> tuple[str, ...]:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return non_finite(training_state(model, getattr(runner.optim_wrapper, 'optimizer', None)))


def _list_tensors(names: tuple[str, ...]) -> str:
    count = '1 tensor' if len(names) == 1 else f'{len(names)} tensors'
    return f'NaN or infinity in {count} ({", ".join(names[:_SHOWN])}{", ..." if len(names) > _SHOWN else ""})'


def _last_checkpoint(runner: Runner) -> str:
    saved = [hook.last_ckpt for hook in runner.hooks if isinstance(hook, CheckpointHook) and hook.last_ckpt]
    last = saved[-1] if saved else find_latest_checkpoint(runner.work_dir) if runner._resume else None
    return f'the last good checkpoint is {last}' if last else 'this run has no checkpoint yet'

"""MMEngine's checkpoint hook with atomic writes, and with old files removed only after new ones are written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmengine.runner import Runner

from eakd_det.checkpoint.student_weights import STUDENT_WEIGHTS, write_student_weights
from eakd_det.errors import ConfigError
from eakd_det.files import remove_unfinished, write_atomically

LAST_CHECKPOINT = 'last_checkpoint'
_BACKEND = 'eakd_det_atomic'
_OUTDATED = 'outdated_ckpts'


class AtomicLocalBackend(LocalBackend):
    """MMEngine's local file backend with atomic writes."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Replace the file once the new bytes are on disk."""
        write_atomically(filepath, obj)


register_backend(_BACKEND, AtomicLocalBackend, force=True)


class _DeferredRemoval:
    """Record removals in the message hub, and thus in the checkpoint, instead of carrying them out.

    Files outside ``folder`` are ignored: a resumed copy of a run must not touch the original.
    """

    def __init__(self, backend: Any, folder: str, hub: MessageHub) -> None:
        self._backend = backend
        self._folder = Path(folder)
        self._hub = hub

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        if Path(path).parent == self._folder:
            self._hub.update_info(_OUTDATED, [*self._hub.get_info(_OUTDATED, []), Path(path).name])

    rmtree = remove


class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, keeping the last good checkpoint through a kill or a full disk.

    Options, file names and contents are MMEngine's. For checkpoints in local folders, these things differ:

    * Checkpoints and ``last_checkpoint`` are written to a temporary file and renamed.
    * An outdated checkpoint (``max_keep_ckpts``, the former best) is removed after its successor is written, so the
      disk needs room for one more than is kept.
    * Unfinished files and pending removals of a killed run are cleaned up at the next start.
    * A checkpoint followed by a validation is written again afterwards, so that a resume need not repeat it.
    * A full disk ends the training with a one-line error.
    * ``<work_dir>/student.pth`` holds the plain detector's weights, from the best checkpoint (``save_best``) if there
      is one, else from the newest. Stock MMDetection loads it on any torch
      (:func:`eakd_det.checkpoint.student_weights.write_student_weights`).

    Raises:
        ConfigError: If a checkpoint cannot be written.

    Example:
        >>> default_hooks = dict(checkpoint=dict(type='eakd_det.SafeCheckpointHook', interval=10000, by_epoch=False))
    """

    file_backend: Any
    backend_args: dict[str, Any] | None
    last_ckpt: str | None
    _saved_step: int | None = None
    _saves = 0
    _student_of: str | None = None

    def before_train(self, runner: Runner) -> None:
        """Set up as MMEngine does; in local folders, use atomic writes and clean up after a killed run."""
        super().before_train(runner)
        if type(self.file_backend) is LocalBackend and self.file_client_args is None:
            self.backend_args = dict(self.backend_args or {}, backend=_BACKEND)
            self._remove_outdated(runner)
            if is_main_process():
                removed = remove_unfinished(self.out_dir, '*.pth') + remove_unfinished(runner.work_dir, LAST_CHECKPOINT)
                for name in removed:
                    runner.logger.info(f'Removed {name}, left unfinished by an earlier run')
        self._saved_step = self._step(runner) if runner.iter > 0 else None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """Write this iteration's checkpoint again, because the validation changed its state.

        MMEngine does so only for the best one, but scores and plateau schedules are part of every checkpoint.
        """
        saves = self._saves
        super().after_val_epoch(runner, metrics)
        step = self._step(runner)
        if self._saved_step == step and self._saves == saves:
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))

    def after_train(self, runner: Runner) -> None:
        """Write the student's weights if an earlier run was killed before it could."""
        super().after_train(runner)
        self.last_ckpt = self.last_ckpt or runner.message_hub.runtime_info.get('last_ckpt')
        self._write_student(runner)

    def _step(self, runner: Runner) -> int:
        return runner.epoch if self.by_epoch else runner.iter

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        with self._write_errors(runner), self._deferred_removals(runner):
            self._save(runner, step, meta)
        self._write_student(runner)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        with self._write_errors(runner), self._deferred_removals(runner):
            super()._save_best_checkpoint(runner, metrics)
        self._write_student(runner)

    def _write_student(self, runner: Runner) -> None:
        """Write the student's weights from the best checkpoint if there is one, else from the newest."""
        source = str(next(iter(self._best_checkpoints()), self.last_ckpt))
        is_local = (self.backend_args or {}).get('backend') == _BACKEND
        if source == self._student_of or not is_local or not is_main_process() or not Path(source).is_file():
            return
        with self._write_errors(runner):
            write_student_weights(source, Path(runner.work_dir) / STUDENT_WEIGHTS)
        self._student_of = source

    def _save(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """Do what MMEngine does, but in another order and with an atomic ``last_checkpoint``."""
        if self.max_keep_ckpts > 0 and (not self.keep_ckpt_ids or self.keep_ckpt_ids[-1] != step):
            if len(self.keep_ckpt_ids) == self.max_keep_ckpts:
                outdated = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
                self.file_backend.remove(self.file_backend.join_path(self.out_dir, outdated))
            self.keep_ckpt_ids.append(step)
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomically(Path(runner.work_dir) / LAST_CHECKPOINT, str(self.last_ckpt).encode())
        self._saved_step = step
        self._saves += 1

    @contextmanager
    def _deferred_removals(self, runner: Runner) -> Iterator[None]:
        """Remove outdated files after the block, or none of them if it fails."""
        if isinstance(self.file_backend, _DeferredRemoval):  # the last checkpoint is saved along with the best one
            yield
            return
        backend = self.file_backend
        self.file_backend = _DeferredRemoval(backend, self.out_dir, runner.message_hub)
        try:
            yield
        finally:
            self.file_backend = backend
        self._remove_outdated(runner)

    def _remove_outdated(self, runner: Runner) -> None:
        info = runner.message_hub.runtime_info
        kept = {Path(path).name for path in (str(info.get('last_ckpt')), *self._best_checkpoints())}
        outdated = info.get(_OUTDATED, [])
        runner.message_hub.update_info(_OUTDATED, [])
        for name in outdated:
            if name not in kept and is_main_process():
                _remove(self.file_backend, self.file_backend.join_path(self.out_dir, name))

    def _best_checkpoints(self) -> list[str]:
        several = getattr(self, 'best_ckpt_path_dict', {}).values()
        return [path for path in (getattr(self, 'best_ckpt_path', None), *several) if path]

    @contextmanager
    def _write_errors(self, runner: Runner) -> Iterator[None]:
        """Turn a failed write into a one-line error that names the last good checkpoint."""
        before = self.last_ckpt or runner.message_hub.runtime_info.get('last_ckpt')
        try:
            yield
        except OSError as error:
            folder = Path(self.out_dir)
            is_full = error.errno == errno.ENOSPC
            room = f' ({shutil.disk_usage(folder).free / 2**20:.1f} MiB free)' if is_full else ''
            reason = error.strerror or errno.errorcode.get(error.errno or 0, type(error).__name__)
            kept = f'the last good checkpoint, {before}, is kept' if before else 'no checkpoint was written before'
            raise ConfigError(
                f'default_hooks.checkpoint: expected to write {error.filename or folder}, but got {reason}{room}; '
                f'{kept}. Free some space or lower max_keep_ckpts, then continue with --resume'
            ) from error


def _remove(backend: Any, path: str) -> None:
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):
        backend.rmtree(path)

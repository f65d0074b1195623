"""MMEngine's checkpoint hook, with files that are whole or not there, and nothing removed before its successor is."""

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

LAST = 'last_checkpoint'
_BACKEND = 'eakd_det_atomic'
_OUTDATED = 'outdated_ckpts'


class AtomicLocalBackend(LocalBackend):
    """MMEngine's local files, written by :func:`eakd_det.files.write_atomically`."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes; the old file stays until the new one is on the disk."""
        write_atomically(filepath, obj)


register_backend(_BACKEND, AtomicLocalBackend, force=True)


class _RemovesLater:
    """A file backend that only notes what is to be removed, in the message hub, so that a checkpoint knows it, too.

    Nothing outside of ``folder`` is noted: a run that was copied and goes on elsewhere leaves the first as it is.
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
    """MMEngine's ``CheckpointHook``, of which no kill and no full disk takes the last good checkpoint.

    Options, file names and contents are MMEngine's. What differs, for checkpoints in local folders:

    * a checkpoint and ``last_checkpoint`` are written beside their place and put there when they are whole;
    * an outdated checkpoint (``max_keep_ckpts``, the former best) is removed after its successor has been written, so
      there is room needed for one more than is kept;
    * what a killed run has left of a file, and what it was about to remove, goes when the next one starts;
    * a checkpoint that a validation follows is written again after it, so that a resume need not repeat it;
    * a full disk ends the training with one line;
    * ``<work_dir>/student.pth`` holds the plain detector's weights of the best checkpoint (``save_best``), or of the
      newest if there is none, as stock MMDetection loads them on any torch
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
        """As MMEngine does, with files of ours in local folders."""
        super().before_train(runner)
        if type(self.file_backend) is LocalBackend and self.file_client_args is None:
            self.backend_args = dict(self.backend_args or {}, backend=_BACKEND)
            self._remove_outdated(runner)
            if is_main_process():
                for name in remove_unfinished(self.out_dir, '*.pth') + remove_unfinished(runner.work_dir, LAST):
                    runner.logger.info(f'{name} was left unfinished by an earlier run, and was removed')
        self._saved_step = self._step(runner) if runner.iter > 0 else None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """As MMEngine does; a checkpoint of this iteration is written again, for the validation has changed its state.

        MMEngine writes it again only if it is the best. The history of scores and plateau schedules are in it, too.
        """
        saves = self._saves
        super().after_val_epoch(runner, metrics)
        step = self._step(runner)
        if self._saved_step == step and self._saves == saves:
            self._save_checkpoint_with_step(runner, step, dict(epoch=runner.epoch, iter=runner.iter))

    def after_train(self, runner: Runner) -> None:
        """As MMEngine does; a run that was killed between its last checkpoint and the student's weights gets these."""
        super().after_train(runner)
        self.last_ckpt = self.last_ckpt or runner.message_hub.runtime_info.get('last_ckpt')
        self._write_student(runner)

    def _step(self, runner: Runner) -> int:
        return runner.epoch if self.by_epoch else runner.iter

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        with self._guarded(runner), self._removing_later(runner):
            self._save(runner, step, meta)
        self._write_student(runner)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        with self._guarded(runner), self._removing_later(runner):
            super()._save_best_checkpoint(runner, metrics)
        self._write_student(runner)

    def _write_student(self, runner: Runner) -> None:
        """Write the weights that stock MMDetection loads: those of the best checkpoint if the run keeps one."""
        source = str(next(iter(self._best_checkpoints()), self.last_ckpt))
        is_local = (self.backend_args or {}).get('backend') == _BACKEND
        if source == self._student_of or not is_local or not is_main_process() or not Path(source).is_file():
            return
        with self._guarded(runner):
            write_student_weights(source, Path(runner.work_dir) / STUDENT_WEIGHTS)
        self._student_of = source

    def _save(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        """As in MMEngine, except for the order and the way ``last_checkpoint`` is written."""
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
            write_atomically(Path(runner.work_dir) / LAST, str(self.last_ckpt).encode())
        self._saved_step = step
        self._saves += 1

    @contextmanager
    def _removing_later(self, runner: Runner) -> Iterator[None]:
        """Remove what is outdated after all in the block has been written, and nothing if it has not."""
        if isinstance(self.file_backend, _RemovesLater):  # the last checkpoint is saved along with the best one
            yield
            return
        backend, self.file_backend = (
            self.file_backend,
            _RemovesLater(self.file_backend, self.out_dir, runner.message_hub),
        )
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
    def _guarded(self, runner: Runner) -> Iterator[None]:
        before = self.last_ckpt or runner.message_hub.runtime_info.get('last_ckpt')
        try:
            yield
        except OSError as error:
            folder = Path(self.out_dir)
            is_full = error.errno == errno.ENOSPC
            room = f'; {shutil.disk_usage(folder).free / 2**20:.1f} MiB are free' if is_full else ''
            reason = error.strerror or errno.errorcode.get(error.errno or 0, type(error).__name__)
            kept = f'the last good checkpoint, {before}, is kept' if before else 'no checkpoint was written before'
            raise ConfigError(
                f'default_hooks.checkpoint: expected to write {error.filename or folder}, but got {reason}{room}; '
                f'{kept}. Make room or lower max_keep_ckpts, and go on with --resume'
            ) from error


def _remove(backend: Any, path: str) -> None:
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):
        backend.rmtree(path)

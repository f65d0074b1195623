"""Make training resumable: the hooks that every config gets, and the checkpoint that ``--resume`` loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log

from eakd_det.resume import ExactResumeHook, SafeCheckpointHook, latest_checkpoint

_PLAIN = ('CheckpointHook', 'mmengine.CheckpointHook', CheckpointHook)
_SAFE = f'eakd_det.{SafeCheckpointHook.__name__}'
_EXACT = f'eakd_det.{ExactResumeHook.__name__}'


def make_resumable(cfg: Config) -> None:
    """Give a training config :class:`ExactResumeHook`, and :class:`SafeCheckpointHook` for MMEngine's plain one.

    Other checkpoint hooks stay as they are, and so does a config that already has both.

    Example:
        >>> cfg = Config(dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=5))))
        >>> make_resumable(cfg)
        >>> cfg.default_hooks.checkpoint, cfg.custom_hooks
        ({'type': 'eakd_det.SafeCheckpointHook', 'interval': 5}, [{'type': 'eakd_det.ExactResumeHook'}])
    """
    hooks = dict(cfg.get('default_hooks') or {})
    checkpoint = hooks.get('checkpoint', dict(type='CheckpointHook', interval=1))  # MMEngine's default
    if isinstance(checkpoint, dict) and checkpoint.get('type') in _PLAIN:
        hooks['checkpoint'] = {**checkpoint, 'type': _SAFE}
    cfg.default_hooks = hooks
    custom = list(cfg.get('custom_hooks') or [])
    if not any(_type(hook) in (_EXACT, ExactResumeHook.__name__, ExactResumeHook) for hook in custom):
        cfg.custom_hooks = [*custom, dict(type=_EXACT)]


def set_resume(cfg: Config, resume: str | None) -> None:
    """Set ``cfg.resume`` and ``cfg.load_from``; without a path, to the newest complete checkpoint in the work folder.

    If the folder has no checkpoint, training starts as it would without ``resume``, with the weights of the config's
    ``load_from`` if there are any, so that one command serves the first start and all later ones.

    Raises:
        ConfigError: If there are checkpoints, but none is readable, or one is not safe to read.
    """
    start = cfg.get('load_from')
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == 'auto' else resume
    if not cfg.get('resume') or cfg.get('load_from'):
        return
    template = ((cfg.get('default_hooks') or {}).get('checkpoint') or {}).get('filename_tmpl')
    found = latest_checkpoint(Path(cfg.work_dir), [template]) if template else latest_checkpoint(Path(cfg.work_dir))
    if found is None:
        begin = f'with {start}' if start else 'from scratch'
        print_log(f'--resume: no checkpoint in {cfg.work_dir}; training starts {begin}', logger='current')
        cfg.resume, cfg.load_from = False, start
    else:
        cfg.load_from = str(found)


def _type(hook: Any) -> Any:
    return hook.get('type') if isinstance(hook, dict) else type(hook)

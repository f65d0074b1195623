"""Safe loading of the checkpoints in a config's ``load_from``, ``resume`` and ``init_cfg``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.runner import CheckpointLoader

from eakd_det.checkpoint.loading import load_checkpoint_file

_LISTS = ('zoo://', 'modelzoo://', 'torchvision://', 'open-mmlab://', 'openmmlab://', 'mmcls://')
_STORES = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://')  # regular expressions; rejected
_SCHEMES = ('', 'http://', 'https://', *_LISTS, *_STORES)


def use_safe_loading(key_of: Callable[[str], str]) -> None:
    """Replace MMEngine's checkpoint loaders with :func:`eakd_det.checkpoint.load_checkpoint_file` in this process.

    MMEngine unpickles downloads, and on torch < 2.6 files as well. On resume it executes the config in the checkpoint's
    metadata, so the config is removed. ``key_of`` returns the config key of a path, for messages.
    """

    def load_from_tensors_only(filename: str, map_location: Any = None) -> dict[str, Any]:
        checkpoint = load_checkpoint_file(filename, key_of(str(filename)))
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        return checkpoint

    CheckpointLoader.register_scheme(list(_SCHEMES), load_from_tensors_only, force=True)

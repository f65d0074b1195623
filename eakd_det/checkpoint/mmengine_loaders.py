"""Let MMEngine read checkpoints the safe way, too: for ``load_from``, ``resume`` and ``init_cfg`` of a config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.runner import CheckpointLoader

from eakd_det.checkpoint.loading import load_checkpoint_file

_LISTS = ('modelzoo://', 'torchvision://', 'open-mmlab://', 'openmmlab://', 'mmcls://')
_STORES = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://')  # regular expressions; they are refused
_SCHEMES = ('', 'http://', 'https://', *_LISTS, *_STORES)


def use_safe_loading(key_of: Callable[[str], str]) -> None:
    """Replace MMEngine's checkpoint loaders by :func:`eakd_det.checkpoint.load_checkpoint_file`, in this process.

    MMEngine's loader for addresses unpickles what it downloads, and on torch < 2.6 so does the one for files. Neither
    says which key of the config the file belongs to. And when it resumes, MMEngine executes a config that it finds in
    the checkpoint's meta data; it does not need to, so it does not get one.

    Args:
        key_of: Gives the config key of a path, for messages.
    """

    def load_from_tensors_only(filename: str, map_location: Any = None) -> dict[str, Any]:
        checkpoint = load_checkpoint_file(filename, key_of(str(filename)))
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        return checkpoint

    CheckpointLoader.register_scheme(list(_SCHEMES), load_from_tensors_only, force=True)

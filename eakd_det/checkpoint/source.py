"""Where a checkpoint comes from: a file, an URL, or a name in one of OpenMMLab's lists of public weights."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse

import mmengine
import torch
from mmengine.dist import barrier, get_rank
from mmengine.runner.checkpoint import (
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)

from eakd_det.errors import ConfigError


def _torchvision_models() -> dict[str, str]:
    """The addresses of torchvision's weights; without torchvision, those that MMEngine brings along (version 0.12)."""
    if importlib.util.find_spec('torchvision') is None:
        return json.loads((Path(mmengine.__path__[0]) / 'hub' / 'torchvision_0.12.json').read_text())
    return get_torchvision_models()


_WEB = ('https',)
_NEAR = 5
_HASH = re.compile(r'-([0-9a-f]{8,64})\.pth$')

_MODEL_LISTS: dict[str, Callable[[], dict[str, str]]] = {
    'torchvision': _torchvision_models,
    'modelzoo': _torchvision_models,
    'open-mmlab': get_external_models,
    'openmmlab': get_external_models,
    'mmcls': get_mmcls_models,
}


def local_checkpoint_path(source: str, key: str) -> Path:
    """The local file of ``source``, downloaded if need be.

    Args:
        source: A file, a https URL, or ``<list>://<model>`` with one of OpenMMLab's lists of public weights.
        key: The config key or option it came from, for messages.

    Raises:
        ConfigError: If there is no such file, or it cannot be downloaded, or the model is in no list.
    """
    scheme, separator, name = source.partition('://')
    if not separator:
        return _existing_file(Path(source).expanduser(), source, key)
    if scheme in _WEB:
        return _download(source, key)
    if scheme == 'http':
        raise ConfigError(f'{key}: expected an address that begins with https://, but got {source}')
    if scheme == 'file':
        return _existing_file(Path(name), source, key)
    if scheme not in _MODEL_LISTS:
        known = ', '.join(f'{listed}://' for listed in _MODEL_LISTS)
        raise ConfigError(f'{key}: expected a file, a https URL or one of {known}, but got {source}')
    return _download(_listed_url(scheme, name, source, key), key)


def _existing_file(path: Path, source: str, key: str) -> Path:
    if path.is_file():
        return path
    what = 'is a folder' if path.is_dir() else 'does not exist'
    seen_from = '' if path.is_absolute() else f' (seen from {Path.cwd()})'
    near = sorted((path if path.is_dir() else path.parent).glob('*.pth'), key=lambda file: file.stat().st_mtime)
    hint = f'; there are {", ".join(file.name for file in near[-_NEAR:])}' if near else ''
    raise ConfigError(f'{key}: expected a checkpoint file, but {source} {what}{seen_from}{hint}')


def _listed_url(scheme: str, name: str, source: str, key: str) -> str:
    urls = _MODEL_LISTS[scheme]()
    if scheme in ('open-mmlab', 'openmmlab'):
        name = get_deprecated_model_names().get(name, name)
    url = urls.get(name)
    if url is None or not url.startswith(tuple(f'{web}://' for web in _WEB)):
        raise ConfigError(f'{key}: expected a model that {scheme} lists, but got {source}')
    return url


def _download(url: str, key: str) -> Path:
    """Download once; in a distributed run the first process does, and the others find the file."""
    target = Path(torch.hub.get_dir()) / 'checkpoints' / os.path.basename(urlparse(url).path)
    try:
        if get_rank() == 0:
            _fetch(url, target, key)
    finally:
        barrier()  # also when the download failed: nobody may wait for a process that has gone
    _fetch(url, target, key)
    return target


def _hash_in_name(name: str) -> str | None:
    """The first digits of the file's SHA-256, which OpenMMLab and torchvision write into the name."""
    found = _HASH.search(name)
    return found[1] if found else None


def _fetch(url: str, target: Path, key: str) -> None:
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f'Downloading {url} to {target}', flush=True)
    try:
        torch.hub.download_url_to_file(url, str(target), _hash_in_name(target.name), progress=os.isatty(2))
    except (URLError, OSError, ValueError, RuntimeError) as error:  # the last if the hash differs
        reason = str(error).strip().split('\n')[0] or type(error).__name__
        raise ConfigError(
            f'{key}: could not download {url} ({reason}); download it where you can and give the path of the file'
        ) from error

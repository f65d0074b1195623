"""Sources of checkpoints: a file, a URL, or a name in one of OpenMMLab's lists of public weights."""

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

from eakd_det.checkpoint.zoo_index import SCHEME, zoo_entry
from eakd_det.errors import ConfigError


def _torchvision_models() -> dict[str, str]:
    """Return the URLs of torchvision's weights; without torchvision, those that MMEngine ships (version 0.12)."""
    if importlib.util.find_spec('torchvision') is None:
        return json.loads((Path(mmengine.__path__[0]) / 'hub' / 'torchvision_0.12.json').read_text())
    return get_torchvision_models()


_WEB = ('https',)
_NEAR = 5
_SHA256_IN_NAME = re.compile(
    r'-([0-9a-f]{8,64})\.(?:pth|safetensors)$'
)  # its first digits, written by OpenMMLab and torchvision

_MODEL_LISTS: dict[str, Callable[[], dict[str, str]]] = {
    'torchvision': _torchvision_models,
    'modelzoo': _torchvision_models,
    'open-mmlab': get_external_models,
    'openmmlab': get_external_models,
    'mmcls': get_mmcls_models,
}


def local_checkpoint_path(source: str, key: str) -> Path:
    """Return the local file of ``source``, downloaded if necessary.

    Args:
        source: A file, a https URL, ``zoo://<model>``, or ``<list>://<model>`` with one of OpenMMLab's lists of public
            weights.
        key: The config key or option, for messages.

    Raises:
        ConfigError: If the file or model does not exist, or cannot be downloaded.
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
    if scheme == SCHEME:
        entry = zoo_entry(name, key)
        return entry.checked(_download(entry.weights, key) if entry.is_remote else entry.path, key)
    if scheme not in _MODEL_LISTS:
        known = ', '.join(f'{listed}://' for listed in (SCHEME, *_MODEL_LISTS))
        raise ConfigError(f'{key}: expected a file, a https URL or one of {known}, but got {source}')
    return _download(_listed_url(scheme, name, source, key), key)


def _existing_file(path: Path, source: str, key: str) -> Path:
    if path.is_file():
        return path
    problem = 'is a folder' if path.is_dir() else 'does not exist'
    seen_from = '' if path.is_absolute() else f' (relative to {Path.cwd()})'
    near = sorted((path if path.is_dir() else path.parent).glob('*.pth'), key=lambda file: file.stat().st_mtime)
    hint = f'; there are {", ".join(file.name for file in near[-_NEAR:])}' if near else ''
    raise ConfigError(f'{key}: expected a checkpoint file, but {source} {problem}{seen_from}{hint}')


def _listed_url(scheme: str, name: str, source: str, key: str) -> str:
    urls = _MODEL_LISTS[scheme]()
    if scheme in ('open-mmlab', 'openmmlab'):
        name = get_deprecated_model_names().get(name, name)
    url = urls.get(name)
    if url is None or not url.startswith(tuple(f'{web}://' for web in _WEB)):
        raise ConfigError(f'{key}: expected a model that {scheme} lists, but got {source}')
    return url


def _download(url: str, key: str) -> Path:
    """Download once; in a distributed run the first process downloads for all."""
    target = Path(torch.hub.get_dir()) / 'checkpoints' / os.path.basename(urlparse(url).path)
    try:
        if get_rank() == 0:
            _fetch(url, target, key)
    finally:
        barrier()  # also after a failed download, or the other processes would wait forever
    _fetch(url, target, key)
    return target


def _fetch(url: str, target: Path, key: str) -> None:
    if target.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    print(f'Downloading {url} to {target}', flush=True)
    sha256 = _SHA256_IN_NAME.search(target.name)
    try:
        torch.hub.download_url_to_file(url, str(target), sha256[1] if sha256 else None, progress=os.isatty(2))
    except (URLError, OSError, ValueError, RuntimeError) as error:  # the last if the hash differs
        reason = str(error).strip().split('\n')[0] or type(error).__name__
        raise ConfigError(
            f'{key}: could not download {url} ({reason}); download it where you can and give the path of the file'
        ) from error

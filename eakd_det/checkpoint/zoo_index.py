"""The models of this package's zoo, from ``model-index.yml`` and the files that it imports."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.fileio import load

from eakd_det.errors import ConfigError
from eakd_det.paths import package_root

SCHEME = 'zoo'


@dataclasses.dataclass(frozen=True)
class ZooEntry:
    """A trained detector.

    Args:
        name: Its name, as in ``zoo://NAME``. It never stands for other weights.
        config: Config file of the plain detector.
        weights: A https address, or the path of a file in the zoo's folder.
        sha256: Checksum of the file of its weights.
        metrics: Figures of exactly this file, such as ``{'box AP': 33.1}``, in %.
        metadata: Training data, licence, seed, and what else the index has.
    """

    name: str
    config: Path
    weights: str
    sha256: str
    metrics: Mapping[str, float]
    metadata: Mapping[str, Any]

    @property
    def is_remote(self) -> bool:
        """Whether the weights are downloaded."""
        return '://' in self.weights

    @property
    def path(self) -> Path:
        """The file of weights that are not downloaded."""
        return package_root() / self.weights

    def checked(self, path: Path, key: str = 'checkpoint') -> Path:
        """Return ``path`` after a check of its content.

        Raises:
            ConfigError: If the file is not there, or is another.
        """
        if not path.is_file():
            raise ConfigError(f'{key}: expected the weights of {SCHEME}://{self.name} in {path}, but there is no file')
        if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
            raise ConfigError(f'{key}: expected {path} to have the sha256 {self.sha256}, but it is another file')
        return path


def zoo_entries() -> dict[str, ZooEntry]:
    """Return the models of the zoo by name.

    Example:
        >>> 'demo-teacher' in zoo_entries()
        True
    """
    root = package_root()
    imports = load(root / 'model-index.yml').get('Import') or []
    models = [model for file in imports for model in load(root / file)['Models']]
    return {model['Name']: _entry(root, model) for model in models}


def zoo_entry(name: str, key: str = 'checkpoint') -> ZooEntry:
    """Return the model with this name.

    Raises:
        ConfigError: If there is none.
    """
    entries = zoo_entries()
    if name not in entries:
        raise ConfigError(f'{key}: expected a model of the zoo ({", ".join(entries)}), but got {SCHEME}://{name}')
    return entries[name]


def _entry(root: Path, model: Mapping[str, Any]) -> ZooEntry:
    metadata = dict(model['Metadata'])
    return ZooEntry(
        name=model['Name'],
        config=root / model['Config'],
        weights=model['Weights'],
        sha256=metadata.pop('SHA256'),
        metrics=model['Results'][0]['Metrics'],
        metadata=metadata,
    )

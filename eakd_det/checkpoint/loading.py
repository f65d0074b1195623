"""Safe reading and strict loading of checkpoints."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.utils import digit_version
from torch import Tensor, nn

from eakd_det.checkpoint import old_torch
from eakd_det.checkpoint.contents import foreign_objects, is_whole_pickle, program_format
from eakd_det.checkpoint.report import LoadReport, compare_state_dicts, examples
from eakd_det.checkpoint.safetensors_file import SUFFIX, read_safetensors
from eakd_det.checkpoint.source import local_checkpoint_path
from eakd_det.errors import ConfigError

_STUDENT_PREFIX = 'architecture.'
_BACKBONE_PREFIX = 'backbone.'


class UnreadableCheckpointError(ConfigError):
    """An empty, truncated or damaged file, as left by a killed process, a full disk or a broken download."""


def load_checkpoint_file(path_or_url: str | Path, key: str = 'checkpoint') -> dict[str, Any]:
    """Read a checkpoint to CPU memory, tensors and plain data only (``weights_only=True``).

    Args:
        path_or_url: A file (``.pth`` or ``.safetensors``), a https URL, ``zoo://<model>`` (:mod:`eakd_det.zoo`),
            ``torchvision://<model>``, ``open-mmlab://<model>`` or ``mmcls://<model>``. Downloads go to torch.hub's
            folder.
        key: The config key or option, for messages.

    Returns:
        The content: usually ``state_dict`` and ``meta``, or a bare state dict.

    Raises:
        UnreadableCheckpointError: If the file is empty, truncated or not a checkpoint.
        ConfigError: If it is missing, cannot be downloaded, or holds objects that could run code when loaded, which the
            message lists.
    """
    source = str(path_or_url)
    path = local_checkpoint_path(source, key)
    where = source if str(path) == source else f'{source} (at {path})'
    if path.stat().st_size == 0:
        raise UnreadableCheckpointError(f'{key}: expected a checkpoint, but {where} is empty')
    try:
        if path.suffix == SUFFIX:
            return read_safetensors(path)
        if (program := program_format(path)) is not None:
            raise ConfigError(f'{key}: expected a checkpoint of tensors, but {where} is {program}; it was not read')
        checkpoint = _read_tensors(path)
    except ConfigError:
        raise
    except Exception as error:  # damaged bytes can raise almost any error in the unpickler
        raise _explain(error, key, where, path) from error
    if not isinstance(checkpoint, dict):
        kind = type(checkpoint).__name__
        raise ConfigError(f'{key}: expected a checkpoint with a state_dict, but {where} holds a {kind}')
    if source.startswith('mmcls://'):
        # These are whole classifiers, of which MMEngine returns the backbone; configs rely on it.
        state = checkpoint.get('state_dict', checkpoint)
        prefix = len(_BACKBONE_PREFIX)
        return {'state_dict': {name[prefix:]: t for name, t in state.items() if name.startswith(_BACKBONE_PREFIX)}}
    return checkpoint


def _read_tensors(path: Path) -> Any:
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError:
        if digit_version(torch.__version__) >= digit_version('2.6.0'):
            raise
        return torch.load(path, map_location='cpu', weights_only=False, pickle_module=old_torch)


def load_detector_weights(
    model: nn.Module,
    checkpoint: str | Path | Mapping[str, Any],
    key: str = 'checkpoint',
    strict: bool = True,
    source: str | None = None,
) -> LoadReport:
    """Load a detector's weights after a comparison of all names and shapes.

    Accepts MMDetection checkpoints (2.x and 3.x), bare state dicts, ``module.`` prefixes of a data-parallel wrapper,
    and the student (``architecture.``) of MMRazor's distillation checkpoints. Unlike in MMDetection, a single-stage
    head is not loaded as an RPN.

    Args:
        model: The detector.
        checkpoint: A source as in :func:`load_checkpoint_file`, or its content.
        key: The config key or option, for messages.
        strict: Raise if anything but BatchNorm counters differs, and leave the model unchanged. False loads the
            matching tensors and logs a warning about the others.
        source: The file of ``checkpoint``, for messages.

    Raises:
        ConfigError: If the file cannot be read, does not match ``model`` (if strict, or at all), or holds weights that
            are not finite.
    """
    if not isinstance(checkpoint, Mapping):
        source = source or str(checkpoint)
        checkpoint = load_checkpoint_file(checkpoint, key)
    where = source or 'the checkpoint'
    state = detector_state_dict(checkpoint, key, where)
    report = compare_state_dicts(model.state_dict(), state)
    if not report.matched or (strict and not report.is_complete):
        raise ConfigError(f'{key}: {where} does not fit {type(model).__name__}: {report}; {report.hint}')
    state = {name: state[name] for name in report.matched}
    broken = tuple(name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all()))
    if broken:
        raise ConfigError(
            f'{key}: {where} holds weights that are not finite, in {len(broken)} tensors{examples(broken)}'
        )
    model.load_state_dict(state, strict=False)
    if not report.is_complete:
        print_log(f'{key}: {where} was loaded in part: {report}', logger='current', level=logging.WARNING)
    return report


def detector_state_dict(checkpoint: Mapping[str, Any], key: str, where: str) -> dict[str, Tensor]:
    """Return the detector's tensors under stock MMDetection names; if there are none, raise :class:`ConfigError`."""
    state = checkpoint.get('state_dict', checkpoint)
    tensors = {str(n): t for n, t in state.items() if isinstance(t, Tensor)} if isinstance(state, Mapping) else {}
    if not tensors:
        held = examples(tuple(map(str, checkpoint)))
        raise ConfigError(f'{key}: expected a checkpoint with a state_dict, but {where} holds no weights{held}')
    tensors = {name.removeprefix('module.'): tensor for name, tensor in tensors.items()}
    student = {n.removeprefix(_STUDENT_PREFIX): t for n, t in tensors.items() if n.startswith(_STUDENT_PREFIX)}
    return student or tensors


def checkpoint_classes(checkpoint: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the class names in the metadata, as written by MMDetection 3 or 2; None if there are none.

    Example:
        >>> checkpoint_classes({'meta': {'dataset_meta': {'classes': ['cat', 'dog']}}, 'state_dict': {}})
        ('cat', 'dog')
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping):
        return None
    dataset_meta = meta.get('dataset_meta')
    for holder in (dataset_meta if isinstance(dataset_meta, Mapping) else {}, meta):
        for name in ('classes', 'CLASSES'):
            classes = holder.get(name)
            if isinstance(classes, str):
                return (classes,)
            if isinstance(classes, (list, tuple)) and classes:
                return tuple(str(item) for item in classes)
    return None


def _explain(error: Exception, key: str, where: str, path: Path) -> ConfigError:
    first_line = str(error).strip().split('\n')[0] or type(error).__name__
    if isinstance(error, pickle.UnpicklingError):
        named = foreign_objects(path)
        if named or is_whole_pickle(path):
            return ConfigError(
                f'{key}: {where} holds objects that could run code when they are loaded, and was not read; save it '
                f'again with tensors and plain data only ({", ".join(named) or first_line})'
            )
    if isinstance(error, OSError):
        return UnreadableCheckpointError(f'{key}: {where} cannot be read ({first_line})')
    return UnreadableCheckpointError(
        f'{key}: {where} is truncated or not a checkpoint ({type(error).__name__}: {first_line.split(". ")[0]}); '
        f'{path.stat().st_size} bytes'
    )

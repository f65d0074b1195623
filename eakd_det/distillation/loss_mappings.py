"""Mappings from loss arguments to records: defaults and checks."""

from __future__ import annotations

import difflib
import inspect
import reprlib
from collections.abc import Iterable
from typing import Any

from mmrazor.models.task_modules import RecorderManager
from mmrazor.models.task_modules.recorder.base_recorder import BaseRecorder
from torch import nn

from eakd_det.errors import ConfigError
from eakd_det.plurals import counted

Mappings = dict[str, dict[str, dict[str, Any]]]
KEY = 'model.distiller.loss_forward_mappings'
_RECORD_KEYS = ('recorder', 'from_student', 'record_idx', 'data_idx', 'connector', 'connector_idx')


def check_parts(key: str, parts: Any, several: bool = False) -> None:
    """Raise :class:`ConfigError` unless ``parts`` is None or a dict from names to dicts with a type.

    ``key`` is their config key. With ``several``, a list of such dicts is accepted for a name.
    """
    if parts is not None and not isinstance(parts, dict):
        raise ConfigError(f'{key}: expected a dict of names and dict(type=...), but got {reprlib.repr(parts)}')
    for name, part in (parts or {}).items():
        if not isinstance(name, str) or not name or '.' in name:
            raise ConfigError(f'{key}: expected names without dots as keys, but got {name!r}')
        for item in part if several and isinstance(part, (list, tuple)) and part else [part]:
            kind = item.get('type') if isinstance(item, dict) else None
            if not kind or not isinstance(kind, (str, type)):
                raise ConfigError(f'{key}.{name}: expected dict(type=..., ...), but got {reprlib.repr(part)}')


def check_losses(losses: Any) -> None:
    """Raise :class:`ConfigError` unless there are losses with names that MMEngine minimises."""
    key = 'model.distiller.distill_losses'
    check_parts(key, losses)
    if not losses:
        raise ConfigError(f'{key}: expected at least one loss, but got none; without any, nothing is distilled')
    unnamed = [name for name in losses if 'loss' not in name]
    if unnamed:
        raise ConfigError(
            f"{key}: expected names with 'loss' in them, since MMEngine minimises no others, "
            f'but got {", ".join(unnamed)}'
        )


def complete_mappings(losses: nn.ModuleDict, mappings: Mappings | None) -> Mappings:
    """Complete the config's mappings with the losses' own.

    A loss without an entry gets its ``default_mapping``. Arguments that an entry leaves out get the loss's
    ``added_mapping``. A loss with neither entry nor default is a :class:`ConfigError`.
    """
    complete: Mappings = {}
    for name, loss in losses.items():
        entry = (mappings or {}).get(name, getattr(loss, 'default_mapping', None))
        if entry is None:
            raise ConfigError(
                f'{KEY}: {name} ({type(loss).__name__}) needs an entry for each of its '
                "arguments, for example preds_S=dict(recorder='proposal_logits', from_student=True)"
            )
        complete[name] = {**getattr(loss, 'added_mapping', {}), **entry}
    return complete


def check_mappings(
    losses: nn.ModuleDict,
    mappings: Mappings,
    student_recorders: RecorderManager,
    teacher_recorders: RecorderManager,
    connectors: Iterable[str],
) -> None:
    """Raise :class:`ConfigError` unless every mapping is valid and maps every required argument.

    MMRazor checks most of this, but not optional arguments, such as those of EA's weights.
    """
    known = {True: set(student_recorders.recorders), False: set(teacher_recorders.recorders)}
    for name, mapping in mappings.items():
        for argument, record in mapping.items():
            _check_record(f'{KEY}.{name}.{argument}', record, known, set(connectors))
        for parameter in inspect.signature(losses[name].forward).parameters.values():
            is_positional = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if is_positional and parameter.default is parameter.empty and parameter.name not in mapping:
                raise ConfigError(
                    f'{KEY}.{name}: expected an entry for {parameter.name}, which '
                    f'{type(losses[name]).__name__} needs, but got {", ".join(mapping) or "none"}'
                )


def _check_record(key: str, record: dict[str, Any], known: dict[bool, set[str]], connectors: set[str]) -> None:
    if not isinstance(record, dict) or not {'recorder', 'from_student'} <= set(record):
        raise ConfigError(f"{key}: expected dict(recorder='...', from_student=True or False), but got {record!r}")
    unknown = sorted(set(record) - set(_RECORD_KEYS))
    if unknown:
        raise ConfigError(f'{key}: expected keys among {", ".join(_RECORD_KEYS)}, but got {", ".join(unknown)}')
    if record['recorder'] not in known[bool(record['from_student'])]:
        side = 'student' if record['from_student'] else 'teacher'
        raise ConfigError(
            f'{key}: expected one of the {side} recorders '
            f'({", ".join(sorted(known[bool(record["from_student"])]))}), but got {record["recorder"]!r}'
        )
    if record.get('connector') and record['connector'] not in connectors:
        raise ConfigError(
            f'{key}.connector: expected one of model.distiller.connectors ({", ".join(sorted(connectors)) or "none"}), '
            f'but got {record["connector"]!r}'
        )


def check_record_is_there(key: str, recorder: BaseRecorder, record: dict[str, Any]) -> None:
    """Raise :class:`ConfigError` unless ``recorder`` holds the item that ``record`` names."""
    side, found = 'student' if record['from_student'] else 'teacher', len(recorder.data_buffer)
    where = f'{key}: {side} recorder {record["recorder"]!r} (source {recorder.source!r})'
    index, data_index = record.get('record_idx', 0), record.get('data_idx')
    if not -found <= index < found:
        hint = '' if record['from_student'] else ' (only the backbone, neck and head of the teacher run)'
        raise ConfigError(
            f'{where}: expected a record for record_idx {index}, but got {counted(found, "record")} in this step; '
            f'record a module that runs{hint}'
        )
    if data_index is None:
        return
    data = recorder.data_buffer[index]
    if not isinstance(data, (tuple, list)):
        raise ConfigError(f'{where}: expected a tuple for data_idx, but got a {type(data).__name__}; remove data_idx')
    if not -len(data) <= data_index < len(data):
        raise ConfigError(f'{where}: expected an item for data_idx {data_index}, but got {counted(len(data), "item")}')


def initialize_recorders(recorders: RecorderManager, model: nn.Module, side: str) -> None:
    """Attach the recorders to ``model``; an unknown source is a :class:`ConfigError` with similar names."""
    for name, recorder in recorders.recorders.items():
        try:
            recorder.initialize(model)
        except AssertionError as error:
            names = [name for name, _ in model.named_modules()] + [name for name, _ in model.named_parameters()]
            near = ', '.join(difflib.get_close_matches(recorder.source, names, n=3, cutoff=0.5))
            raise ConfigError(
                f'model.distiller.{side}_recorders.{name}.source: expected a part of the {side} '
                f'({type(model).__name__}; near: {near or "nothing"}), but it has no {recorder.source!r}'
            ) from error

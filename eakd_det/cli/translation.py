"""Turn the errors that other packages raise about a user's config into :class:`ConfigError` with the key to change.

The config is searched for the cause: a type that is not registered, an argument that a class does not take or lacks, an
object whose code raised the error, an image that cannot be read.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import reprlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import mmcv
from mmengine.config import Config
from mmengine.registry import Registry

from eakd_det.arguments import ArgumentError, argument_names, did_you_mean
from eakd_det.cli.config_keys import find_key, walk
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.datasets.dataset_configs import annotation_path, image_folder, local_coco_datasets
from eakd_det.errors import ConfigError

_REGISTRY_MODULES = ('mmengine.registry', 'mmdet.registry', 'mmrazor.registry', 'eakd_det.registry')
# Checks of the config by these modules have clear messages; only the traceback is too much.
_CHECKING_MODULES = ('mmengine.runner.runner', 'mmengine.registry.build_functions', 'mmdet.engine.hooks.utils')
_NOT_ARGUMENTS = ('type', '_scope_')
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


@contextlib.contextmanager
def config_errors(cfg: Config) -> Iterator[None]:
    """Turn errors that MMEngine raises about the content of ``cfg`` inside the block into :class:`ConfigError`.

    These are a type that is not registered, an argument that a class does not take, lacks or cannot use, a missing
    package that a class needs, an image that cannot be read, and combinations of keys that MMEngine's runner rejects.
    All other errors pass unchanged.
    """
    try:
        yield
    except Exception as error:
        message = _explain(error, cfg)
        if message is None and isinstance(error, ConfigError) and error.__cause__ is not None:
            message = _explain(error.__cause__, cfg) or _explain_value(error.__cause__, cfg)  # which name the key
        if message is None:
            raise
        raise ConfigError(message) from error


def _explain(error: BaseException, cfg: Config) -> str | None:
    file = cfg.filename or 'the config'
    if isinstance(error, ArgumentError):
        key = find_key(cfg._cfg_dict, lambda node: _is_call(error, node))
        return f'{key}.{error.argument}: {error.reason}' if key else None
    if isinstance(error, ConfigError):
        return None
    text = str(error.args[0]) if error.args else ''
    if isinstance(error, (KeyError, TypeError)):
        explained = _explain_type(text, cfg) or _explain_argument(text, cfg)
        if explained:
            return f'{explained} ({file})'
    if isinstance(error, ImportError) and (found := _object_at_fault(error, cfg)):
        owner, name, _ = found
        return f'{owner}: {name} needs a package: {" ".join(text.split())} ({file})'
    if image := _unreadable_image(text, cfg):
        return f'{image}: expected an image, but it cannot be read; tools/check_data.py finds all such files'
    if isinstance(error, (AssertionError, KeyError, RuntimeError, TypeError, ValueError)) and _raised_by_a_check(error):
        return f'{file}: {" ".join(text.split())[:400]}'
    return None


def _is_call(error: ArgumentError, node: Any) -> bool:
    """Return whether ``node`` is the config from which ``error.owner`` was to be built."""
    if not isinstance(node, dict) or _type_name(node) != error.owner.__name__:
        return False
    return (error.argument in node) == (error.argument in error.given) and all(
        key in error.given and _same(error.given[key], value)
        for key, value in node.items()
        if key not in _NOT_ARGUMENTS and not isinstance(value, (dict, list))
    )


def _same(first: Any, second: Any) -> bool:
    return first is second or (type(first) is type(second) and first == second)


def _type_name(node: dict[str, Any]) -> str:
    kind = node.get('type')
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')


def _explain_type(text: str, cfg: Config) -> str | None:
    """Explain an error about a type that is missing or not registered."""
    first_word = text.partition(' ')[0].strip('\'"')
    for key, node in walk(cfg._cfg_dict):
        if not isinstance(node, dict):
            continue
        kind = node.get('type')
        if isinstance(kind, str) and kind == first_word and ' registry' in text:
            return f'{key}.type: {kind!r} is not registered{_similar(kind)}'
        if (kind is None and str(node) in text) or (kind is not None and not (isinstance(kind, str) or callable(kind))):
            return f'{key}: expected dict(type=...) with the name of a class, but got {reprlib.repr(dict(node))}'
    return None


def _explain_argument(text: str, cfg: Config) -> str | None:
    """Explain an error about an unknown or a missing argument."""
    for key, node in walk(cfg._cfg_dict):
        for built in _classes(node) if isinstance(node, dict) and 'type' in node else ():
            bases = built.__mro__ if inspect.isclass(built) else ()
            callees = [f'{base.__qualname__}.__init__()' for base in bases] or [f'{built.__name__}()']
            if not any(callee in text for callee in callees):
                continue
            named = [name for name in node if name not in _NOT_ARGUMENTS and f'{str(name)!r}' in text]
            known = argument_names(built) if bases else tuple(inspect.signature(built).parameters)
            unknown = [name for name in named if known is None or name not in known]
            if unknown:
                hint = did_you_mean(unknown[0], known or ())
                return f'{key}.{unknown[0]}: {built.__name__} has no argument {unknown[0]!r}{hint}'
            missing = [name for name in known or () if name not in node and f'{name!r}' in text]
            if missing and 'missing' in text:
                return f'{key}: {built.__name__} also needs {", ".join(map(repr, missing))}'
    return None


def _explain_value(error: BaseException, cfg: Config) -> str | None:
    """Explain a TypeError inside a class that got an argument of the wrong type."""
    if not isinstance(error, TypeError) or (found := _object_at_fault(error, cfg)) is None:
        return None
    owner, name, node = found
    given = {key: value for key, value in node.items() if key not in _NOT_ARGUMENTS}
    return (
        f'{owner}: {name} cannot be built with {reprlib.repr(given)}: {" ".join(str(error).split())} '
        f'({cfg.filename or "the config"})'
    )


def _object_at_fault(error: BaseException, cfg: Config) -> tuple[str, str, dict[str, Any]] | None:
    """Return key, class name and config of the innermost object of the config whose own code raised ``error``.

    Objects of one class cannot be told apart; for these the key is the class name.
    """
    owners: dict[CodeType, list[tuple[str, str, dict[str, Any]]]] = {}
    for key, node in walk(cfg._cfg_dict):
        for built in _classes(node) if isinstance(node, dict) and 'type' in node else ():
            for method in vars(built).values() if inspect.isclass(built) else ():
                if inspect.isfunction(method):
                    owners.setdefault(inspect.unwrap(method).__code__, []).append((key, built.__name__, node))
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        if found := owners.get(frame.f_code):
            key, name, node = found[0]
            is_one = all(other == node for _, _, other in found)
            return (key if is_one else name), name, node
    return None


def _unreadable_image(text: str, cfg: Config) -> Path | None:
    """Return the image of the config's data that ``text`` names, if it cannot be read."""
    for loader in _LOADERS:
        for _, dataset in local_coco_datasets(cfg, loader):
            annotations = annotation_path(dataset)
            for name in read_annotation_summary(annotations).file_names if annotations.is_file() else ():
                path = image_folder(dataset) / name
                if name in text and path.is_file() and mmcv.imread(str(path)) is None:
                    return path
    return None


def _classes(node: dict[str, Any]) -> list[Any]:
    """Return the classes that a config's type can mean: itself, or those registered under its name."""
    kind = node['type']
    if not isinstance(kind, str):
        return [kind] if callable(kind) else []
    name = kind.rpartition('.')[2]
    found = [registry.module_dict[name] for registry in _registries() if name in registry.module_dict]
    return list(dict.fromkeys(found))


def _registries() -> list[Registry]:
    modules = map(importlib.import_module, _REGISTRY_MODULES)
    return [item for module in modules for item in vars(module).values() if isinstance(item, Registry)]


def _similar(name: str) -> str:
    scopes = {key: registry.scope for registry in _registries() for key in registry.module_dict}
    bare = name.rpartition('.')[2]
    if bare in scopes:  # registered, but in another scope
        return f'; did you mean {f"{scopes[bare]}.{bare}"!r}?'
    return did_you_mean(bare, scopes)


def _raised_by_a_check(error: BaseException) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals.get('__name__') in _CHECKING_MODULES

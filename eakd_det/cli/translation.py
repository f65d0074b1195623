"""Turn the errors that other packages raise about a user's config into :class:`ConfigError` with the key to change."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import re
import reprlib
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from eakd_det import arguments
from eakd_det.building import build_model
from eakd_det.cli.config_keys import find_key
from eakd_det.errors import ConfigError

_NOT_REGISTERED = re.compile(r'(?P<type>\S+) is not in the (?:(?P<scope>[\w.]+)::)?(?P<registry>[\w ]+) registry')
_UNKNOWN_ARGUMENT = re.compile(r"got an unexpected keyword argument '(?P<name>\w+)'")
_MISSING_ARGUMENT = re.compile(r'__init__\(\) missing \d+ required .*arguments?: (?P<names>.*)')
_NO_TYPE = re.compile(
    r'must contain the key "type"|type must be a str or valid type|cfg should be a dict, ConfigDict or Config'
)
_REGISTRY_MODULES = ('mmengine.registry', 'mmdet.registry', 'mmrazor.registry', 'eakd_det.registry')
# Functions that build a class from a config, with `cfg`, `obj_cls` and `args` among their variables.
_BUILDERS = ('build_from_cfg', build_model.__name__)
# What the runner says in one clear line itself; only the traceback is too much.
_SAID_WELL = re.compile(
    r'should be either all None or not None|VisualizationHook must be included|'
    r'`self\._\w+_loop` should not be None'
)


@contextlib.contextmanager
def config_errors(cfg: Config) -> Iterator[None]:
    """Inside the block, what MMEngine raises about the content of ``cfg`` becomes a :class:`ConfigError`.

    That is a type which is not registered, an argument which a class does not know or misses, and the combinations
    of keys which MMEngine's runner itself rejects. All other errors pass as they are.
    """
    try:
        yield
    except Exception as error:
        # A ConfigError may rest on an error that tells the key more exactly than whoever caught it could.
        message = _explain(error.__cause__ if isinstance(error, ConfigError) else error, cfg)
        if message is None:
            raise
        raise ConfigError(message) from error


def _explain(error: BaseException | None, cfg: Config) -> str | None:
    text = str(error.args[0]) if error is not None and error.args else ''
    file = cfg.filename or 'the config'
    if isinstance(error, KeyError) and (found := _NOT_REGISTERED.search(text)):
        name = found['type'].strip('\'"')
        key = find_key(cfg._cfg_dict, lambda node: isinstance(node, str) and node == name) or 'type'
        return (
            f'{key}: no {found["registry"]} called {name!r} is registered ({file}){_similar(name, found["registry"])}'
        )
    if isinstance(error, (KeyError, TypeError)) and _NO_TYPE.search(text):
        frame = _building_frame(error)
        part = frame.f_locals.get('cfg') if frame else None
        key = find_key(cfg._cfg_dict, lambda node: node is part or (isinstance(part, dict) and node == part)) or 'type'
        return f'{key}: expected dict(type=...) with the name of a class, but got {reprlib.repr(part)} ({file})'
    if isinstance(error, TypeError) and 'argument' in text:
        return _explain_argument(error, text, cfg, file)
    if isinstance(error, (ValueError, RuntimeError, AssertionError)) and _SAID_WELL.search(text):
        return f'{file}: {" ".join(text.split())[:400]}'
    return None


def _explain_argument(error: TypeError, text: str, cfg: Config, file: str) -> str | None:
    """A wrong call is the config's fault if the innermost object that was being built from it has that argument."""
    frame = _building_frame(error)
    if frame is None:
        return None
    built, args = frame.f_locals.get('obj_cls'), frame.f_locals.get('args') or {}
    name = getattr(built, '__name__', str(built))
    owner = find_key(
        cfg._cfg_dict, lambda node: isinstance(node, dict) and _is_type(node.get('type'), name, args, node)
    )
    if (unknown := _UNKNOWN_ARGUMENT.search(text)) and unknown['name'] in args:
        key = f'{owner}.{unknown["name"]}' if owner else unknown['name']
        return f'{key}: {name} has no argument {unknown["name"]!r} ({file})'
    if (missing := _MISSING_ARGUMENT.search(text)) and frame is _calling_frame(error):
        return f'{owner or name}: {name} also needs {missing["names"]} ({file})'
    return None


def _building_frame(error: BaseException) -> FrameType | None:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((frame for frame in reversed(frames) if frame.f_code.co_name in _BUILDERS), None)


def _calling_frame(error: BaseException) -> FrameType:
    """Where the call was made that failed, but for the check of arguments around it."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next(frame for frame in reversed(frames) if frame.f_globals.get('__name__') != arguments.__name__)


def _is_type(kind: Any, name: str, args: dict[str, Any], node: dict[str, Any]) -> bool:
    stated = kind.split('.')[-1] if isinstance(kind, str) else getattr(kind, '__name__', '')
    return stated == name and all(key in args for key in node if key not in ('type', '_scope_'))


def _similar(name: str, registry_name: str) -> str:
    scopes = {
        key: registry.scope
        for module in map(importlib.import_module, _REGISTRY_MODULES)
        for registry in vars(module).values()
        if isinstance(registry, Registry) and registry.name == registry_name
        for key in registry.module_dict
    }
    bare = name.split('.')[-1]
    if bare in scopes:  # it is there, in a scope where it was not looked for
        return f'; did you mean {f"{scopes[bare]}.{bare}"!r}?'
    close = difflib.get_close_matches(bare, scopes, n=1, cutoff=0.7)
    return f'; did you mean {close[0]!r}?' if close else ''

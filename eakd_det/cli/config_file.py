"""Read a config file; any error becomes one line with the file and line at fault."""

from __future__ import annotations

import os.path as osp
import traceback
from pathlib import Path

from mmengine.config import Config

from eakd_det.errors import ConfigError


def read_config_file(path: str) -> Config:
    """Read the config file at ``path``.

    Raises:
        ConfigError: If it, or a file that it inherits from, is missing or cannot be executed; names file and line.
    """
    if not Path(path).is_file():
        what = 'is a folder' if Path(path).is_dir() else 'does not exist'
        location = '' if Path(path).is_absolute() else f' (relative to {Path.cwd()})'
        raise ConfigError(f'config: expected a config file, but {path} {what}{location}')
    try:
        return Config.fromfile(path)
    except Exception as error:  # a config is the user's own program: any error is one of the config
        raise ConfigError(f'config: {_explain(error, path)}') from error


def _explain(error: Exception, path: str) -> str:
    file = _file_at_fault(path)
    reason = ' '.join(str(error).split())
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == osp.abspath(file)
    ]
    if isinstance(error, ImportError) and not lines:  # `custom_imports`, imported after the file was executed
        reason = f'custom_imports: {_first_cause(error)}'
    if isinstance(error, SyntaxError):
        cause = error.__context__ if isinstance(error.__context__, SyntaxError) else error
        lines, reason = [cause.lineno or 0], cause.msg
    where = f'{file}, line {lines[-1]}' if lines else file
    return f'{where}: {type(error).__name__}: {reason}'


def _file_at_fault(path: str) -> str:
    """Return the file that cannot be read while the files it inherits from can."""
    for base in _bases(path):
        try:
            Config.fromfile(base)
        except Exception:
            return _file_at_fault(base)
    return path


def _bases(path: str) -> list[str]:
    """Return the files that a config inherits from; none if ``_base_`` itself cannot be read."""
    try:
        return [Config._get_cfg_path(base, osp.abspath(path))[0] for base in Config._get_base_files(path)]
    except Exception:
        return []


def _first_cause(error: BaseException) -> BaseException:
    """Return the root cause; MMEngine's own message is only that an import failed."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return error

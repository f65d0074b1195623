"""Read or compose a config and merge the command line into it."""

from __future__ import annotations

import argparse
import difflib
import inspect
import logging
import os.path as osp
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from eakd_det.cli.composition import compose, config_files, config_name, drop_parts
from eakd_det.cli.config_file import read_config_file
from eakd_det.cli.config_keys import walk
from eakd_det.cli.schedule import follow_length, length_of
from eakd_det.datasets import move_data_root
from eakd_det.datasets.options import DATA_OPTIONS
from eakd_det.errors import ConfigError
from eakd_det.models import current_name

# Top-level keys that the runner, its set-up or the tools read. No other key at the top of a config has an effect.
_TOP_LEVEL = (
    frozenset(inspect.signature(Runner.__init__).parameters)
    | {'data_root', *DATA_OPTIONS}
    | {'runner_type', 'custom_imports', 'tta_model', 'tta_pipeline', 'sync_bn', 'compile', 'find_unused_parameters'}
    | {'model_wrapper_cfg', 'backend_args'}
) - {'self', 'cfg'}


def load_config(args: argparse.Namespace) -> Config:
    """Return the config of a run: the file or files, ``--cfg-options``, ``--launcher`` and the work folder.

    The work folder is ``--work-dir``, else the config's ``work_dir``, else ``./work_dirs/<name of the config>``.

    Raises:
        ConfigError: If the file is missing or cannot be executed, or an option does not fit it.
    """
    cfg = read_config(args.config)
    if not isinstance(cfg.get('model'), dict):
        raise ConfigError(f'model: expected {args.config} to define a model dict, but got {cfg.get("model")!r}')
    cfg.launcher = args.launcher
    merge_options(cfg, args.cfg_options or {})
    _use_current_names(cfg)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('./work_dirs', config_name(args.config))
    return cfg


def read_config(config: str) -> Config:
    """Read a config file, or compose one (see :mod:`eakd_det.cli.composition`).

    Args:
        config: A path, or ``PAIR.py+METHOD``.

    Raises:
        ConfigError: If a file, or one it inherits from, is missing or cannot be executed; it names file and line.
    """
    first, *rest = (read_config_file(str(path)) for path in config_files(config))
    return drop_parts(compose(first, rest[0], config) if rest else first)


def merge_options(cfg: Config, options: dict[str, Any]) -> None:
    """Merge ``--cfg-options`` into ``cfg``, in place.

    A key that nothing reads is an error, and so is a part of the path that looks like a misspelt existing key. New keys
    (``randomness.seed=0``, a hook with its own type) are accepted. If the length of the training changes, the schedule
    of its learning rate follows (:func:`follow_length`).

    Raises:
        ConfigError: If an option does not fit the config.
    """
    for option in options:
        _check_option(cfg, option, options)
    old_root, old_length = cfg.get('data_root'), length_of(cfg)
    try:
        cfg.merge_from_dict(options)
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        reason = ' '.join(str(error.args[0] if error.args else error).split())
        raise ConfigError(f'--cfg-options {" ".join(options)}: does not fit the config ({reason})') from error
    for remark in follow_length(cfg, old_length, options):
        print_log(remark, logger='current')
    if 'data_root' in options:
        move_data_root(cfg, old_root)


def _use_current_names(cfg: Config) -> None:
    """Replace names of detectors from MMDetection 2 with their names in MMDetection 3."""
    for key, node in walk(cfg._cfg_dict.get('model')):
        name = node.get('cfg_path') if isinstance(node, dict) else None
        if isinstance(name, str) and '::' in name and current_name(name) != name:
            node['cfg_path'] = current_name(name)
            print_log(f'model.{key}.cfg_path: {name} is now named {node["cfg_path"]}', logger='current')


def _check_option(cfg: Config, option: str, options: dict[str, Any]) -> None:
    names = option.split('.')
    if names[0] not in cfg and names[0] not in _TOP_LEVEL:
        hint = _similar(names[0], {*cfg.keys(), *_TOP_LEVEL}, 0.6)
        raise ConfigError(f'--cfg-options {option}: the config has no {names[0]!r}{hint}')
    if names[0] not in _TOP_LEVEL:
        print_log(
            f'--cfg-options {option}: {names[0]!r} is a variable of the config file, read while the file was executed; '
            'changing it now has no effect. Set the keys derived from it.',
            logger='current',
            level=logging.WARNING,
        )
    node: Any = cfg._cfg_dict
    for depth, name in enumerate(names):
        path = '.'.join(names[:depth])
        if isinstance(node, (list, tuple)):
            if not name.isdigit() or int(name) >= len(node):
                raise ConfigError(f'--cfg-options {option}: {path} is a list of {len(node)} and has no {name!r}')
            node = node[int(name)]
        elif not isinstance(node, dict):
            if node is None:
                return
            raise ConfigError(f'--cfg-options {option}: {path} is {node!r} and has no {name!r}')
        elif name in node:
            node = node[name]
        else:
            adds = '.'.join([*names[: depth + 1], 'type']) in options
            hint = '' if adds or depth == 0 else _similar(name, set(node), 0.8)
            if hint and depth < len(names) - 1:
                raise ConfigError(f'--cfg-options {option}: {path} has no {name!r}{hint}')
            return


def _similar(name: str, known: set[Any], cutoff: float) -> str:
    close = difflib.get_close_matches(name, [str(item) for item in known], n=1, cutoff=cutoff)
    return f'; did you mean {close[0]!r}?' if close else ''

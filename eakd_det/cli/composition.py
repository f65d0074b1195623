"""A config of two files: a pair (detectors, data, schedule) and a method (what is distilled).

``PAIR.py+METHOD`` names it wherever a config is named: ``configs/pairs/r101-r18_coco.py+ea-kd``.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.paths import configs_dir

_FORMER = re.compile(r'(?P<method>[^_]+)_faster-rcnn_(?P<pair>[^_]+)_fpn_(?:ms-1x_)?(?P<data>[^_]+)\.py')
_READ_BY_COMPOSITION = ('distiller', 'loss_options')


def config_files(config: str) -> list[Path]:
    """Return the file of a config, or the two files of ``PAIR.py+METHOD``.

    A method is the name of a file in ``configs/methods``, or the path of another (ending in ``.py``). The name that an
    arm had when it was one file (``configs/demo/kd_faster-rcnn_r18w32-r18w16_fpn_demo.py``) stands for its two files.

    Raises:
        ConfigError: If there is no method of that name.

    Example:
        >>> [path.name for path in config_files('configs/pairs/r101-r18_coco.py+ea-kd')]
        ['r101-r18_coco.py', 'ea-kd.py']
    """
    path = Path(config)
    pair, plus, method = config.partition('.py+')
    if path.is_file():
        return [path]
    if plus:
        return [Path(f'{pair}.py'), Path(method) if method.endswith('.py') else _shipped(method)]
    former = _FORMER.fullmatch(path.name)
    if former:
        root = path.parent.parent
        files = [root / 'pairs' / f'{former["pair"]}_{former["data"]}.py', root / 'methods' / f'{former["method"]}.py']
        if all(file.is_file() for file in files):
            return files
    return [path]


def config_name(config: str) -> str:
    """Return the name of a config without folder and ending, with the method first.

    Example:
        >>> config_name('configs/pairs/r101-r18_coco.py+ea-kd'), config_name('configs/my_data.py')
        ('ea-kd_r101-r18_coco', 'my_data')
    """
    pair, plus, method = config.partition('.py+')
    return f'{Path(method.removesuffix(".py")).name}_{Path(pair).name}' if plus else Path(config).stem


def compose(pair: Config, method: Config, config: str) -> Config:
    """Return ``pair`` with the method's ``distiller`` in its model.

    ``loss_options`` of the pair (widths of its pyramids, a weight published for it) are set in the losses that the
    method has, by their names; of a part such as the weighting, only options that the method sets as well. All else
    in the method (``custom_imports``) is merged into the pair.

    Args:
        pair: Its model is a ``ProposalDistill``, or another algorithm with a ``distiller``.
        method: ``distiller=dict(distill_losses=dict(...))``.
        config: What the user typed, from which the name of the result is made.

    Raises:
        ConfigError: If ``pair`` is not a pair, or ``method`` not a method.
    """
    if not isinstance((pair.get('model') or {}).get('distiller'), dict):
        raise ConfigError(f'config: expected a pair, with model.distiller, before the + of {config}')
    if not isinstance(method.get('distiller'), dict):
        raise ConfigError(f'config: expected a method, with distiller=dict(...), but {method.filename} has none')
    changes = method.to_dict()
    distiller = changes.pop('distiller')
    losses = distiller.get('distill_losses') or {}
    for name, options in (pair.get('loss_options') or {}).items():
        if isinstance(losses.get(name), dict):
            _set_options(losses[name], options)
    pair.merge_from_dict(changes)
    for key, value in distiller.items():  # `update` would keep the losses of a pair that has some
        pair.model.distiller[key] = value
    filename = Path(pair.filename).with_name(f'{config_name(config)}.py')
    return Config(pair._cfg_dict, cfg_text=pair.text, filename=str(filename), env_variables=pair.env_variables)


def drop_parts(cfg: Config) -> Config:
    """Remove the top-level keys that only a composition reads; their values are in the model by now."""
    for key in _READ_BY_COMPOSITION:
        cfg._cfg_dict.pop(key, None)
    return cfg


def _set_options(loss: dict[str, Any], options: dict[str, Any]) -> None:
    for key, value in options.items():
        part = loss.get(key)
        if isinstance(value, dict) and isinstance(part, dict):
            part.update((name, option) for name, option in value.items() if name in part)
        else:
            loss[key] = value


def _shipped(method: str) -> Path:
    path = configs_dir() / 'methods' / f'{method}.py'
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob('*.py'))
        close = difflib.get_close_matches(method, known, n=1)
        raise ConfigError(
            f'config: expected a method of configs/methods ({", ".join(known)}) or a file that ends in .py, '
            f'but got {method!r}' + (f'; did you mean {close[0]!r}?' if close else '')
        )
    return path

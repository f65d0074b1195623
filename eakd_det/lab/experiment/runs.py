"""The runs of a plan: config, folder, progress, and the command that repeats each."""

from __future__ import annotations

import copy
import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from eakd_det.cli.config import merge_options, read_config
from eakd_det.cli.data_checks import check_data
from eakd_det.cli.detectors import is_distillation
from eakd_det.cli.train import check_checkpoints
from eakd_det.datasets import apply_data_options
from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.fingerprint import fingerprint
from eakd_det.lab.experiment.plan import Arm

RUN_NAME = 'run.json'
CONFIG_NAME = 'config.py'
Tool = Literal['train', 'test']


@dataclasses.dataclass(frozen=True)
class Run:
    """One call of ``tools/train.py`` (or of ``tools/test.py``, for a teacher that is only evaluated).

    Args:
        arm: Name of its arm, or 'teacher'.
        title: Name on the screen.
        seed: Seed.
        folder: Work folder.
        cfg: Complete config, without the hooks of an experiment.
        fingerprint: Checksum of all that the result depends on.
        command: Command line that repeats it without ``tools/experiment.py``.
        tool: 'train', or 'test' for a teacher that is evaluated.
    """

    arm: str
    title: str
    seed: int
    folder: Path
    cfg: Config
    fingerprint: str
    command: str
    tool: Tool = 'train'

    @property
    def max_iters(self) -> int | None:
        """The number of iterations, if the config sets it."""
        return self.cfg.train_cfg.get('max_iters') if self.tool == 'train' else None

    def checkpoint(self) -> Path:
        """Return the file of its final weights."""
        return self.folder / Path((self.folder / 'last_checkpoint').read_text().strip()).name

    def belongs(self) -> bool:
        """Return whether the folder's content is from the same config and inputs."""
        return read_json(self.folder / RUN_NAME).get('fingerprint') == self.fingerprint


def prepare_runs(
    arm: Arm, seeds: tuple[int, ...], root: Path, options: Mapping[str, Any], teacher: str | None, tool: Tool = 'train'
) -> list[Run]:
    """Return the runs of an arm, one per seed.

    Args:
        arm: The arm.
        seeds: The seeds.
        root: The folder of the arm; each seed gets a folder in it.
        options: Overrides in addition to the arm's own options, which take precedence.
        teacher: The teacher's checkpoint for arms that distil; None keeps that of the config.
        tool: 'train' or 'test'.

    Raises:
        ConfigError: If the config is invalid; the message starts with the arm.
    """
    changes, base = _complete(arm, options, teacher, tool)
    return [_prepare(arm, base, changes, seed, root / f'seed-{seed}', tool) for seed in seeds]


def check_arm(arm: Arm, options: Mapping[str, Any], teacher: str | None, is_teacher_trained_first: bool) -> None:
    """Check the requirements of an arm before the first run of any arm.

    Args:
        arm: The arm.
        options: Overrides in addition to the arm's own options.
        teacher: The teacher's checkpoint, as for :func:`prepare_runs`.
        is_teacher_trained_first: Whether the teacher is still to be trained.

    Raises:
        ConfigError: If the config is invalid or a file is missing; the message starts with the arm.
    """
    _, cfg = _complete(arm, options, teacher, 'train')
    if is_teacher_trained_first and is_distillation(cfg.model):
        cfg.model.teacher_ckpt = None
    try:
        check_checkpoints(cfg)
        check_data(cfg, ('train_dataloader', 'val_dataloader'))
    except ConfigError as error:
        raise ConfigError(f'{arm.name}: {error}') from error


def _complete(arm: Arm, options: Mapping[str, Any], teacher: str | None, tool: Tool) -> tuple[dict[str, Any], Config]:
    """Return the options of an arm and its config with them."""
    changes = {**options, **arm.options}
    try:
        base = read_config(str(arm.config))
        if not isinstance(base.get('model'), dict):
            raise ConfigError(f'model: expected {arm.config} to define a model dict, but got {base.get("model")!r}')
        if teacher is not None and is_distillation(base.model):
            changes = {'model.teacher_ckpt': teacher, **changes}
        merge_options(base, changes)
        base.launcher = 'none'
        base = apply_data_options(base, tool)
    except ConfigError as error:
        raise ConfigError(f'{arm.name}: {error}') from error
    return changes, base


def _prepare(arm: Arm, base: Config, changes: Mapping[str, Any], seed: int, folder: Path, tool: Tool) -> Run:
    cfg = copy.deepcopy(base)
    cfg.merge_from_dict({'randomness.seed': seed})
    cfg.work_dir = str(folder)
    settings = format_options({**changes, 'randomness.seed': seed})
    flags = '--teacher ' if tool == 'test' else ''
    return Run(
        arm=arm.name,
        title=f'{arm.name}, seed {seed}' if tool == 'train' else arm.title,
        seed=seed,
        folder=folder,
        cfg=cfg,
        fingerprint=fingerprint(cfg),
        command=f'python tools/{tool}.py {arm.config} {flags}--cfg-options {settings}',
        tool=tool,
    )


def write_config(run: Run, processes: int = 1) -> Path:
    """Write the config of a run with the hooks of an experiment.

    Args:
        run: The run.
        processes: Number of processes of a distributed run; they share the batch.

    Raises:
        ConfigError: If the batch cannot be shared.
    """
    cfg = copy.deepcopy(run.cfg)
    hooks = list(cfg.get('custom_hooks') or [])
    present = {str(hook.get('type')).split('.')[-1] for hook in hooks if isinstance(hook, dict)}
    wanted = ('CocoEvalHook', 'StartHook', 'WatchHook')
    cfg.custom_hooks = [*hooks, *(dict(type=f'eakd_det.{name}') for name in wanted if name not in present)]
    if processes > 1 and run.tool == 'train':
        size = cfg.train_dataloader.batch_size
        if size % processes:
            raise ConfigError(f'--processes: expected a divisor of the batch of {size} images, but got {processes}')
        cfg.train_dataloader.batch_size = size // processes
    path = run.folder / CONFIG_NAME
    cfg.dump(str(path))
    return path


def format_options(options: Mapping[str, Any]) -> str:
    """Format options for ``--cfg-options``, quoted for a shell.

    Example:
        >>> format_options({'model.tau': 1.0, 'classes': ['a', 'b'], 'seed': 0, 'normalize': True})
        "model.tau=1.0 'classes=[a,b]' seed=0 normalize=True"
    """
    return ' '.join(shlex.quote(f'{key}={_option(value)}') for key, value in options.items())


def _option(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        inner = ','.join(_option(item) for item in value)
        return f'[{inner}]' if isinstance(value, list) else f'({inner})'
    return str(value)


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; empty if it is missing, incomplete or damaged.

    Example:
        >>> read_json(Path('no/such/file.json'))
        {}
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

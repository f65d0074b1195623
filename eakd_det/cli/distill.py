"""From a folder of data to a distilled student: what ``tools/distill.py`` runs."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from eakd_det.checkpoint.student_weights import STUDENT_WEIGHTS
from eakd_det.cli.failures import run_tool
from eakd_det.errors import ConfigError
from eakd_det.files import write_json
from eakd_det.paths import configs_dir, tools_dir

METHOD = 'own-data'
SETTINGS = 'distill.json'


@dataclass(frozen=True)
class Configs:
    """Configs of a pair for a user's own data, relative to the folder of configs."""

    teacher: str
    student: str
    pair: str


GPU = Configs(
    'custom/teacher_faster-rcnn_r50_fpn_custom.py',
    'custom/student_faster-rcnn_mv2_fpn_custom.py',
    'pairs/r50-mv2_custom.py',
)
SMALL = Configs(
    'custom_small/teacher_faster-rcnn_r18w32_fpn_custom-small.py',
    'custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py',
    'pairs/r18w32-r18w16_custom-small.py',
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps; returns the exit status of the first one that fails, or 0."""
    args = _parse_arguments(argv)
    return run_tool(lambda: distill(args))


def distill(args: argparse.Namespace) -> None:
    """Run the steps as the parsed arguments say, each in a process of its own.

    Raises:
        ConfigError: If a folder is missing, or the work folder has a run with other settings.
        SystemExit: If a step fails.
    """
    for name, folder in _folders(args).items():
        if folder is not None and not Path(folder).is_dir():
            raise ConfigError(f'{name}: expected a folder, but {folder} is not one')
    _require_same_settings(args)
    for command in steps(args):
        print(f'\n$ {shlex.join(command)}', flush=True)
        status = subprocess.run([sys.executable, *command], check=False).returncode
        if status:
            raise SystemExit(status)


def steps(args: argparse.Namespace) -> list[list[str]]:
    """Return the commands of all steps, without the interpreter."""
    size = args.size or ('gpu' if torch.cuda.is_available() else 'small')
    chosen = GPU if size == 'gpu' else SMALL
    root = _work_dir(args)
    options = [f'data_root={args.data}', *args.cfg_options]
    pair = f'{configs_dir() / chosen.pair}+{args.method}'
    teacher = f'model.teacher_ckpt={root / "teacher" / STUDENT_WEIGHTS}'
    commands = [_training(configs_dir() / chosen.teacher, root / 'teacher', options)]
    if args.plain:
        commands.append(_training(configs_dir() / chosen.student, root / 'student', options))
    distilled = [*options, teacher]
    if args.photos:
        labels = str(root / 'teacher_labels.json')
        label = [str(tools_dir() / 'label_photos.py'), pair, args.photos, '--score', 'auto', '--out', labels]
        commands.append([*label, '--cfg-options', *options, teacher])
        distilled += [f'teacher_labels={labels}', f'teacher_images={args.photos}']
    commands.append(_training(pair, root / 'distilled', distilled))
    return commands


def _work_dir(args: argparse.Namespace) -> Path:
    return Path(args.work_dir or Path('work_dirs/distill') / Path(args.data).resolve().name)


def _require_same_settings(args: argparse.Namespace) -> None:
    """Keep a run from continuing with checkpoints of other data or settings."""
    path = _work_dir(args) / SETTINGS
    folders = {name: str(Path(value).resolve()) if value else None for name, value in _folders(args).items()}
    settings = {**folders, 'size': args.size, 'method': args.method, 'cfg_options': args.cfg_options}
    if path.is_file() and (former := json.loads(path.read_text())) != settings:
        differing = ', '.join(name for name in settings if former.get(name) != settings[name])
        raise ConfigError(f'--work-dir: {path.parent} has a run with other settings ({differing}); name another folder')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)


def _folders(args: argparse.Namespace) -> dict[str, str | None]:
    return {'data': args.data, 'photos': args.photos}


def _training(config: str | Path, work_dir: Path, options: Sequence[str]) -> list[str]:
    tool = str(tools_dir() / 'train.py')
    return [tool, str(config), '--work-dir', str(work_dir), '--resume', '--cfg-options', *options]


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='distill.py',
        description='Train a teacher on your data, then a student with its help. Stopped at any point, the same '
        'command continues. The data is laid out as in docs/custom_data.md.',
    )
    parser.add_argument('data', help='folder of the data: images/, instances_train.json, instances_val.json')
    parser.add_argument('--photos', help='folder of photos without labels, which the teacher labels for the student')
    parser.add_argument('--plain', action='store_true', help='train the student without a teacher as well, to compare')
    parser.add_argument(
        '--size',
        choices=['gpu', 'small'],
        help='ResNet-50 and MobileNetV2 (gpu), or two thin ResNet-18 for a CPU (small); default: by what there is',
    )
    parser.add_argument('--method', default=METHOD, help='a method of configs/methods; default: %(default)s')
    parser.add_argument(
        '--work-dir', help='folder of all results; default: work_dirs/distill/<name of the data folder>'
    )
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='settings for all steps')
    return parser.parse_args(argv)

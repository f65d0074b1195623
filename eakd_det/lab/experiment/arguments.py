"""The command line of ``tools/experiment.py``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import DictAction

from eakd_det.errors import ConfigError
from eakd_det.files import write_json
from eakd_det.lab.experiment.plan import Plan
from eakd_det.lab.experiment.plan_file import plan_of_configs, read_plan
from eakd_det.lab.experiment.processes import Settings
from eakd_det.lab.experiment.runs import format_options

_ARGUMENTS = 'arguments.json'
_REMEMBERED = ('plan', 'configs', 'teacher', 'seeds', 'cfg_options')


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/experiment.py``.

    Example:
        >>> args = parse_arguments(['plan.py', '--seeds', '0', '1', '--jobs', '2'])
        >>> args.plan, args.seeds, args.jobs
        (PosixPath('plan.py'), [0, 1], 2)
    """
    parser = argparse.ArgumentParser(
        prog='experiment.py',
        description='Train a grid of arms and seeds, and compare them in one table. Finished runs are not repeated; '
        'if stopped, the same command continues.',
    )
    parser.add_argument('plan', nargs='?', type=Path, help='plan file, such as configs/studies/demo.py')
    parser.add_argument(
        '--configs',
        nargs='+',
        type=Path,
        metavar='CONFIG',
        help='instead of a plan: one config per arm, a file or PAIR.py+METHOD',
    )
    parser.add_argument('--teacher', help='with --configs: a config to train the teacher with, or its checkpoint')
    parser.add_argument('--seeds', nargs='+', type=int, metavar='SEED', help='default: those of the plan, or 0')
    parser.add_argument('--arms', nargs='+', metavar='ARM', help='train only these; the table still shows all')
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/experiment/<name of the plan>')
    parser.add_argument('--jobs', type=int, help='runs side by side; default: 1, or one for each share of --gpus')
    parser.add_argument('--threads', type=int, default=0, help='threads of each run; default: cores / jobs')
    parser.add_argument('--processes', type=int, default=1, help='processes of each run, which share its batch')
    parser.add_argument('--gpus', nargs='+', default=[], metavar='ID', help='GPUs to distribute among the runs')
    parser.add_argument(
        '--executor', choices=('slurm', 'local'), help='submit the runs as an array job, through submitit'
    )
    parser.add_argument(
        '--executor-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='for submitit, such as slurm_partition=gpu gpus_per_node=1 timeout_min=600',
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='for all runs')
    parser.add_argument(
        '--reuse',
        nargs='+',
        type=Path,
        default=[],
        metavar='REPORT',
        help='report.json of earlier experiments; their finished runs of the same config, data and teacher are not '
        'repeated',
    )
    parser.add_argument('--fresh', action='store_true', help='repeat finished runs; the old folders are kept')
    parser.add_argument('--report', action='store_true', help='train nothing, write the table of the existing runs')
    args = parser.parse_args(argv)
    is_recalled = args.report and args.work_dir is not None and args.plan is None and args.configs is None
    if (args.plan is None) == (args.configs is None) and not is_recalled:
        parser.error('expected either a plan file or --configs, or --work-dir and --report of an earlier call')
    if args.teacher is not None and args.plan is not None:
        parser.error('--teacher is for --configs; a plan file sets its own teacher')
    return args


def remember(args: argparse.Namespace, root: Path) -> None:
    """Save the arguments in the work folder for a later ``--work-dir ... --report``."""
    write_json(root / _ARGUMENTS, {name: _as_text(getattr(args, name)) for name in _REMEMBERED})


def recall(args: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments, completed from the work folder if they name neither a plan nor configs.

    Raises:
        ConfigError: If none are saved there.
    """
    if args.plan is not None or args.configs is not None:
        return args
    path = args.work_dir / _ARGUMENTS
    try:
        known = json.loads(path.read_text())
        known = {name: known[name] for name in _REMEMBERED}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'--work-dir: expected the folder of an experiment, but {path} cannot be read ({type(error).__name__}); '
            'name the plan'
        ) from error
    known['plan'] = known['plan'] and Path(known['plan'])
    known['configs'] = known['configs'] and [Path(config) for config in known['configs']]
    given = {name: value for name, value in vars(args).items() if name in _REMEMBERED and value is not None}
    return argparse.Namespace(**{**vars(args), **known, **given})


def _as_text(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [_as_text(item) for item in value] if isinstance(value, (list, tuple)) else value


def plan_of(args: argparse.Namespace) -> Plan:
    """Return the plan that the arguments name, with ``--seeds``.

    Raises:
        ConfigError: If the plan is invalid.
    """
    if args.plan is None:
        return plan_of_configs(args.configs, args.seeds or [0], args.teacher)
    plan = read_plan(args.plan)
    return plan if args.seeds is None else dataclasses.replace(plan, seeds=tuple(args.seeds))


def settings_of(args: argparse.Namespace) -> Settings:
    """Return the settings of the runs.

    Raises:
        ConfigError: If the numbers are inconsistent.
    """
    jobs = args.jobs
    if args.gpus and args.executor:
        raise ConfigError('--gpus: expected --executor-options gpus_per_node=... with --executor, but got both')
    if args.gpus:
        shares = len(args.gpus) // max(args.processes, 1)
        jobs = shares if jobs is None else jobs
        if jobs > shares:
            each = f'{len(args.gpus)} GPUs, {args.processes} for each run'
            raise ConfigError(f'--jobs: expected at most {shares} ({each}), but got {jobs}')
    jobs = 1 if jobs is None else jobs
    for name, value, least in (('jobs', jobs, 1), ('processes', args.processes, 1), ('threads', args.threads, 0)):
        if value < least:
            raise ConfigError(f'--{name}: expected a whole number of at least {least}, but got {value}')
    cores = len(os.sched_getaffinity(0)) // jobs
    if args.executor == 'slurm':  # those of a node, not of this machine
        cores = args.executor_options.get('cpus_per_task', 1)
    threads = args.threads or max(cores // args.processes, 1)
    return Settings(jobs, threads, args.processes, tuple(args.gpus), args.executor, args.executor_options)


def command_line(args: argparse.Namespace, plan: Plan, arm: str | None = None) -> str:
    """Return the command line that repeats the experiment, or one row."""
    parts = ['python tools/experiment.py', plan.source]
    if args.plan is not None and args.seeds is not None:
        parts.append(f'--seeds {" ".join(map(str, args.seeds))}')
    if arm is not None:
        parts.append(f'--arms {arm}')
    if args.work_dir is not None:
        parts.append(f'--work-dir {shlex.quote(str(args.work_dir))}')
    if args.processes > 1:
        parts.append(f'--processes {args.processes}')
    if args.cfg_options:
        parts.append(f'--cfg-options {format_options(args.cfg_options)}')
    return ' '.join(parts)

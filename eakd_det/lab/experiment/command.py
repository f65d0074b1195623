"""What ``tools/experiment.py`` does: data, teacher, the grid of runs, the report."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eakd_det.cli.config import read_config
from eakd_det.cli.detectors import is_distillation
from eakd_det.cli.failures import run_tool
from eakd_det.datasets import make_digit_scenes
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically, write_json
from eakd_det.lab.experiment.arguments import command_line, parse_arguments, plan_of, recall, remember, settings_of
from eakd_det.lab.experiment.comparison import make_report
from eakd_det.lab.experiment.page import page
from eakd_det.lab.experiment.plan import Arm, Plan
from eakd_det.lab.experiment.pool import begin_anew, execute
from eakd_det.lab.experiment.processes import Job, Settings
from eakd_det.lab.experiment.records import CONSOLE_NAME, RunRecord, read_record
from eakd_det.lab.experiment.runs import Run, check_arm, prepare_runs
from eakd_det.lab.experiment.screen import Clock, Screen, live_line, outcome
from eakd_det.lab.experiment.table import markdown

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run an experiment; returns the exit status: 0 if all is finished, 1 if not, 130 if it was stopped."""
    args = parse_arguments(argv)
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run_tool(lambda: run_experiment(args))
    except KeyboardInterrupt:
        print('\nStopped; the same command goes on from here, and with --report shows what there is.', file=sys.stderr)
        return _INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, former)


def run_experiment(args: argparse.Namespace, screen: Screen | None = None) -> dict[str, Any]:
    """Do what the arguments say, and return the report.

    Raises:
        ConfigError: If the plan cannot work, or after the report if not all runs that were asked for are finished.
    """
    args = recall(args)
    plan, settings = plan_of(args), settings_of(args)
    chosen = [plan.arm(name).name for name in args.arms or [arm.name for arm in plan.arms]]
    root = args.work_dir or plan.work_dir
    screen = screen or Screen()
    options = {**plan.options, **(args.cfg_options or {})}
    if plan.data is not None:
        options = {'data_root': _make_data(plan, root, screen), **options}
    if not args.report:
        remember(args, root)
        for name in chosen:
            check_arm(plan.arm(name), options, plan.teacher.checkpoint, plan.teacher.config is not None)
    teacher = _teacher_run(plan, root, options)
    checkpoint = plan.teacher.checkpoint
    if teacher is not None:
        if not args.report:
            _run_all([teacher], Settings(1, settings.threads, settings.processes, settings.gpus), screen)
        if teacher.tool == 'train':
            checkpoint = _trained_teacher(teacher)
    runs = [
        run for arm in plan.arms for run in prepare_runs(arm, plan.seeds, root / 'runs' / arm.name, options, checkpoint)
    ]
    wanted = _by_seed([run for run in runs if run.arm in chosen])

    def summarise() -> dict[str, Any]:
        report = make_report(
            plan,
            [read_record(run) for run in runs],
            None if teacher is None else read_record(teacher),
            command_line(args, plan),
            {arm.name: command_line(args, plan, arm.name) for arm in plan.arms},
        )
        write_report(report, root)
        return report

    if not args.report:
        for run in wanted if args.fresh else []:
            begin_anew(run)
        _run_all(wanted, settings, screen, summarise)
    report = summarise()
    screen.say(f'\n{markdown(report)}\nReport: {root / "report.md"}, report.json, report.html')
    _require_finished([read_record(run) for run in wanted], root)
    return report


def write_report(report: dict[str, Any], root: Path) -> None:
    """Write ``report.json``, ``report.md`` and ``report.html``."""
    write_json(root / 'report.json', report)
    write_atomically(root / 'report.md', markdown(report).encode())
    write_atomically(root / 'report.html', page(report).encode())


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _make_data(plan: Plan, root: Path, screen: Screen) -> str:
    arguments = dict(plan.data or {})
    kind = arguments.pop('type', None)
    if kind != 'digit_scenes':
        raise ConfigError(
            f"data.type: expected 'digit_scenes', but got {kind!r}; other data is set by options.data_root"
        )
    scenes = make_digit_scenes(root / 'data', **arguments)
    screen.say(f'data: {"found" if scenes.reused else "made"} in {scenes.root}')
    return str(scenes.root)


def _teacher_run(plan: Plan, root: Path, options: dict[str, Any]) -> Run | None:
    """The training or, where its weights are given, the evaluation of the teacher; None without arms that distil."""
    stage = plan.teacher
    if stage.config is not None:
        arm = Arm('teacher', 'teacher', stage.config, stage.options)
        return prepare_runs(arm, (stage.seed,), root / 'teacher', options, None)[0]
    distilling = [arm for arm in plan.arms if is_distillation(read_config(str(arm.config)).get('model') or {})]
    if not distilling:
        return None
    arm = Arm('teacher', 'teacher', distilling[0].config, {})
    return prepare_runs(arm, (0,), root / 'teacher', options, stage.checkpoint, 'test')[0]


def _trained_teacher(run: Run) -> str:
    record = read_record(run)
    if record.status != 'finished':
        why = record.error or record.status
        raise ConfigError(f'teacher: its training is not finished ({why}); see {run.folder / CONSOLE_NAME}')
    named = Path((run.folder / 'last_checkpoint').read_text().strip()).name
    return str(run.folder / named)


def _by_seed(runs: Sequence[Run]) -> list[Run]:
    """All arms of one seed before the next seed, so that there is something to compare soon."""
    seeds = list(dict.fromkeys(run.seed for run in runs))
    return [run for seed in seeds for run in runs if run.seed == seed]


def _run_all(
    runs: Sequence[Run], settings: Settings, screen: Screen, summarise: Callable[[], object] = lambda: None
) -> None:
    clock, done = Clock(settings.jobs), 0

    def watch(jobs: Sequence[Job], waiting: Sequence[Run]) -> None:
        if jobs or waiting:
            screen.show(live_line(jobs, done, len(runs), len(waiting), clock))

    def ended(run: Run, record: RunRecord, seconds: float | None) -> None:
        nonlocal done
        done += 1
        if seconds is not None and record.status == 'finished':
            clock.ended(seconds)
        note = '; done before' if seconds is None else ''
        screen.say(f'[{done}/{len(runs)}] {time.strftime("%H:%M")} {outcome(run, record)}{note}')
        if seconds is not None:
            summarise()

    try:
        execute(runs, settings, watch, ended)
    finally:
        screen.close()


def _require_finished(records: Sequence[RunRecord], root: Path) -> None:
    bad = [record for record in records if record.status != 'finished']
    if bad:
        first = bad[0]
        raise ConfigError(
            f'{len(bad)} of {len(records)} runs are not finished; the first: {first.arm}, seed {first.seed} '
            f'({first.error or first.status}); see {root / "runs" / first.arm / f"seed-{first.seed}" / CONSOLE_NAME}'
        )

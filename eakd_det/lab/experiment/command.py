"""The command of ``tools/experiment.py``: data, teacher, the grid of runs, the report."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from eakd_det.cli.failures import run_tool
from eakd_det.lab.experiment.arguments import command_line, parse_arguments, plan_of, recall, remember, settings_of
from eakd_det.lab.experiment.experiment import Experiment
from eakd_det.lab.experiment.screen import Screen
from eakd_det.lab.experiment.table import markdown

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run an experiment and return the exit status: 0 if all runs are finished, 1 if not, 130 if stopped."""
    args = parse_arguments(argv)
    return run_interruptible(lambda: run_experiment(args), ', or shows the existing runs with --report')


def run_interruptible(job: Callable[[], object], more: str) -> int:
    """Run ``job`` as :func:`eakd_det.cli.failures.run_tool` does; stopped by Ctrl-C or SIGTERM, the status is 130.

    Args:
        job: The job.
        more: End of the message about continuing.
    """
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run_tool(job)
    except KeyboardInterrupt:
        print(f'\nStopped; the same command continues from here{more}.', file=sys.stderr)
        return _INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, former)


def run_experiment(args: argparse.Namespace, screen: Screen | None = None) -> dict[str, Any]:
    """Run an experiment according to the arguments and return the report.

    Raises:
        ConfigError: If the plan is invalid, or after the report if a requested run is not finished.
    """
    args = recall(args)
    plan = plan_of(args)
    experiment = Experiment(
        plan,
        args.work_dir or plan.work_dir,
        settings_of(args),
        screen or Screen(),
        args.arms,
        args.cfg_options,
        lambda arm: command_line(args, plan, arm),
        args.reuse,
    )
    if args.report:
        experiment.find_runs()
    else:
        experiment.run(args.fresh, checked=lambda: remember(args, experiment.root))
    report = experiment.report()
    experiment.screen.say(f'\n{markdown(report)}\nReport: {experiment.root / "report.md"}, report.json, report.html')
    experiment.require_finished()
    return report


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt

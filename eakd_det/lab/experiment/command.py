"""What ``tools/experiment.py`` does: data, teacher, the grid of runs, the report."""

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
    """Run an experiment; returns the exit status: 0 if all is finished, 1 if not, 130 if it was stopped."""
    args = parse_arguments(argv)
    return run_interruptible(lambda: run_experiment(args), ', and with --report shows what there is')


def run_interruptible(job: Callable[[], object], more: str) -> int:
    """Run ``job`` as :func:`eakd_det.cli.failures.run_tool` does; stopped by Ctrl-C or SIGTERM, the status is 130.

    Args:
        job: What to do.
        more: The end of the sentence that tells how to go on.
    """
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run_tool(job)
    except KeyboardInterrupt:
        print(f'\nStopped; the same command goes on from here{more}.', file=sys.stderr)
        return _INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, former)


def run_experiment(args: argparse.Namespace, screen: Screen | None = None) -> dict[str, Any]:
    """Do what the arguments say, and return the report.

    Raises:
        ConfigError: If the plan cannot work, or after the report if not all runs that were asked for are finished.
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

"""The command line of the set-up: do nothing, or take all steps, with one message for whatever goes wrong."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from eakd_setup import checks, runner
from eakd_setup.checks import SetupError
from eakd_setup.lock import locked
from eakd_setup.state import ROOT, State, setup_key
from eakd_setup.steps import Setup


def is_ready(root: Path) -> bool:
    """Tell whether the virtual environment is complete and made for the present pins."""
    stamp = State(root / '.venv').read()
    return stamp.get('key') == setup_key(root) and (root / '.venv' / 'bin' / 'python').exists()


def _stop(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Set up the checkout if it is not, and return the exit status."""
    parser = argparse.ArgumentParser(description='Set up .venv in this checkout; quick if it is set up already.')
    parser.add_argument('--pip-args', default='', help='more arguments for pip, as one string')
    args = parser.parse_args(argv)
    if is_ready(ROOT):
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    start = time.monotonic()
    try:
        checks.check_python()
        with locked(ROOT / '.wheels' / 'lock') as lock:
            if is_ready(ROOT):
                return 0
            Setup(ROOT, shlex.split(args.pip_args), lock)()
    except SetupError as error:
        print(f'\nSet-up stopped: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nSet-up interrupted; the same command takes it up again.', file=sys.stderr)
        return 130
    print(f'Set up in {runner.clock(time.monotonic() - start)}.', flush=True)
    return 0

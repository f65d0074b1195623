"""Try a wheel as a new user would: python tools/dev/try_wheel.py dist/eakd_det-X-py3-none-any.whl [FOLDER].

Makes an empty environment with uv and installs the wheel alone, to run a loss; then ``wheel[lite]``, to run, from
another folder, a script through ``python -m eakd_det``, ``eakd-distill --demo`` with the packaged teacher, a few steps
of it or with ``--full`` all, and the same data through ``eakd_det.distill``; then, with the extras that each names,
the commands of the last mile on that run, and of the analyses. Prints the seconds of each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CORE = 'import torch, eakd_det; print(eakd_det.KDLoss()(torch.zeros(2, 3), torch.ones(2, 3)).item())'

_CALL = """
import eakd_det
if __name__ == '__main__':
    options = {'plain': False, 'train_cfg.max_iters': 4, 'train_cfg.val_interval': 4}
    result = eakd_det.distill(data='demo/data', out='call', options=options)
    print(result.detector('demo/data/val/000000.jpg'))
"""


def try_wheel(wheel: Path, folder: Path, quick: bool = True) -> None:
    """Install and run; the first command that fails ends it.

    Raises:
        CalledProcessError: If a command fails.
    """
    python = str(folder / 'venv/bin/python')
    script, call = str(folder / 'hello.py'), str(folder / 'call.py')
    Path(script).write_text('import mmrazor; print("mmrazor", mmrazor.__version__)')
    Path(call).write_text(_CALL)
    # A machine without a GPU gets the CPU build, as by tools/dev/bootstrap.py; CPU_TORCH names another way to it.
    torch = os.environ.get('CPU_TORCH', 'torch')
    run(folder, 'uv', 'venv', '--quiet', '--python', sys.executable, 'venv')
    run(folder, 'uv', 'pip', 'install', '--quiet', '--python', python, torch, str(wheel))
    run(folder, python, '-c', _CORE)
    run(folder, 'uv', 'pip', 'install', '--quiet', '--python', python, torch, f'{wheel}[lite]')
    run(folder, python, '-W', 'ignore', '-m', 'eakd_det', script)
    length = ['--quick'] if quick else []
    demo = ['--demo', *length, '--teacher', 'packaged', '--work-dir', 'demo']
    run(folder, str(folder / 'venv/bin/eakd-distill'), *demo)
    run(folder, python, '-W', 'ignore', call)
    for extras, name, *arguments in (
        ('lite,onnx', 'eakd-export', 'call'),
        ('lite,onnx', 'eakd-compare', 'call'),
        ('lite,onnx', 'eakd-explore', 'call'),
        ('lite,lab', 'eakd-analyze', '--help'),
    ):
        run(folder, 'uv', 'pip', 'install', '--quiet', '--python', python, torch, f'{wheel}[{extras}]')
        run(folder, str(folder / 'venv/bin' / name), *arguments)


def run(folder: Path, *command: str) -> None:
    """Run a command in ``folder``, without this checkout on the path, and print its seconds and last lines."""
    start = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in ('PYTHONPATH', 'VIRTUAL_ENV')}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    shown = ' '.join(Path(part).name if '/' in part else part for part in command)
    print(f'{time.monotonic() - start:6.1f} s  {shown}', flush=True)
    print(''.join(f'          {line}\n' for line in result.stdout.strip().splitlines()[-12:]), end='', flush=True)
    if result.returncode:
        print(result.stderr, file=sys.stderr)
        result.check_returncode()


def main() -> None:
    """Try the wheel of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('wheel', type=Path)
    parser.add_argument('folder', type=Path, nargs='?', help='default: a temporary one')
    parser.add_argument('--full', action='store_true', help='the whole demo, in two or three minutes')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try_wheel(args.wheel.resolve(), folder, not args.full)


if __name__ == '__main__':
    main()

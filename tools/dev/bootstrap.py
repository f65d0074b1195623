"""``make setup``: create a virtual environment and install into it with uv, or with pip if uv is not available.

This script needs only the standard library. A stamp in the environment records its requirements: running the command
again does nothing, updates the environment, or repairs it after an interruption.
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STAMP = '.eakd-setup'
DOCS_STAMP = '.eakd-docs'
UNFINISHED = 'unfinished\n'
# Keys of pip's configuration and the corresponding variables of uv.
UV_VARIABLES = {
    'index-url': 'UV_DEFAULT_INDEX',
    'extra-index-url': 'UV_EXTRA_INDEX_URL',
    'find-links': 'UV_FIND_LINKS',
    'constraint': 'UV_CONSTRAINT',
    'trusted-host': 'UV_INSECURE_HOST',
    'cert': 'SSL_CERT_FILE',
    'proxy': 'ALL_PROXY',
    'default-timeout': 'UV_HTTP_TIMEOUT',
    'timeout': 'UV_HTTP_TIMEOUT',
}
VERIFY = """
import importlib.metadata as metadata, platform, cv2, torch, eakd_det
versions = {d.metadata['Name'].lower(): d.version for d in metadata.distributions()}
names = [name for name in ('torch', 'mmcv', 'mmcv-lite', 'mmdet', 'mmengine', 'mmrazor') if name in versions]
print('Ready:', ', '.join(['Python ' + platform.python_version(), *(f'{name} {versions[name]}' for name in names)]))
"""


class SetupError(Exception):
    """The set-up cannot continue; the message gives the reason and the remedy in one line."""


def read_pip_config(text: str) -> dict[str, str]:
    """Parse the output of ``pip config list`` (``global.find-links='/wheels'``); later sections take precedence."""
    config: dict[str, str] = {}
    for section in ('global.', 'install.', ':env:.'):
        for line in text.splitlines():
            if line.startswith(section):
                key, _, value = line.removeprefix(section).partition('=')
                config[key] = ast.literal_eval(value)
    return config


def uv_settings(config: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make uv follow pip's configuration, except those set by the user."""
    settings = {
        'UV_PYTHON_DOWNLOADS': 'never',
        'UV_INDEX_STRATEGY': 'unsafe-best-match',  # as pip does
        'UV_COMPILE_BYTECODE': '1',  # as pip does; saves compiling at each start where bytecode cannot be written
    }
    for key, variable in UV_VARIABLES.items():
        values = [os.path.expanduser(value) for value in config.get(key, '').split()]
        if values and not (variable == 'UV_DEFAULT_INDEX' and 'UV_INDEX_URL' in environ):
            settings[variable] = (',' if variable == 'UV_FIND_LINKS' else ' ').join(values)
    return {name: value for name, value in settings.items() if name not in environ}


class Setup:
    """Set-up of a virtual environment."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.venv = Path(options.venv).resolve()
        self.python = self.venv / 'bin' / 'python'
        self.pip = [str(self.python), '-m', 'pip']
        self.torch = f'torch=={options.torch}'
        self.install_args = [
            self.torch,
            '-e',
            f'{ROOT}[{options.extra},lab,cluster,tests]',
            *shlex.split(options.pip_args),
        ]
        self.docs_args = [self.torch, '-e', f'{ROOT}[docs]', *shlex.split(options.pip_args)] if options.docs else []
        self.installer = options.installer
        self.environment = {
            **os.environ,
            'PIP_USER': '0',
        }  # `user = true` in pip.conf does not work in virtual environments
        self.base = f'{sys.version.split()[0]} {sys.base_prefix} {options.extra}'
        files = (ROOT / 'pyproject.toml', ROOT / 'setup.py', Path(__file__))
        content = b''.join(file.read_bytes() for file in files) + repr(self.install_args).encode()
        self.stamp = f'{self.base}\n{hashlib.sha256(content).hexdigest()}\n'

    def __call__(self) -> None:
        """Create, update or repair the environment, one set-up at a time per checkout."""
        with Path(__file__).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print('Waiting for another set-up in this checkout', flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            self.lock = lock.fileno()
            self.update()
            if self.docs_args and self.read_stamp(DOCS_STAMP) != self.stamp:
                self.install(self.docs_args)
                (self.venv / DOCS_STAMP).write_text(self.stamp)

    def update(self) -> None:
        """Create, update or repair the environment unless its stamp is that of these requirements."""
        before = self.read_stamp(STAMP)
        if before == self.stamp and self.python.exists():
            return
        if not before and self.venv.exists() and any(self.venv.iterdir()):
            raise SetupError(
                f'{self.venv} was not made by this set-up: remove it (make clean), or install into it yourself.'
            )
        if before.split('\n')[0] != self.base or not self.python.exists():
            self.make_venv()
        (self.venv / STAMP).write_text(UNFINISHED)
        self.install(self.install_args)
        self.verify()
        (self.venv / STAMP).write_text(self.stamp)

    def read_stamp(self, name: str) -> str:
        """Return the text of a stamp; empty if there is none."""
        path = self.venv / name
        return path.read_text() if path.is_file() else ''

    def make_venv(self) -> None:
        """Create a virtual environment; an early stamp identifies it even if the set-up is interrupted."""
        print(f'Creating {self.venv}', flush=True)
        shutil.rmtree(self.venv, ignore_errors=True)
        self.venv.mkdir(parents=True)
        (self.venv / STAMP).write_text(UNFINISHED)
        if self.run([sys.executable, '-m', 'venv', str(self.venv)], stdout=subprocess.DEVNULL).returncode:
            raise SetupError(
                f'{sys.executable} cannot create a virtual environment. '
                f'On Debian or Ubuntu: apt install python3.{sys.version_info[1]}-venv'
            )

    def install(self, requirements: list[str]) -> None:
        """Install torch, the package and its extras in one command."""
        command = self.uv_command() if self.installer == 'uv' else None
        print('Installing with', 'uv' if command else 'pip, which takes a minute or two', flush=True)
        if self.run([*(command or [*self.pip, 'install']), *requirements]).returncode:
            raise SetupError(
                'the installation failed, see above. Check the network and `pip config list`, then run this command '
                'again; INSTALLER=pip avoids uv.'
            )

    def uv_command(self) -> list[str] | None:
        """Return ``uv pip install`` with its options, installing uv if necessary; ``None`` if it is not available."""
        uv = ['uv']
        if not shutil.which('uv') or self.run(['uv', '--version'], capture_output=True).returncode:
            uv = [str(self.python), '-m', 'uv']
            if self.run([*self.pip, 'install', '--quiet', '--retries=1', 'uv'], capture_output=True).returncode:
                return None
        config = read_pip_config(self.run([*self.pip, 'config', 'list'], capture_output=True, text=True).stdout)
        self.environment.update(uv_settings(config, os.environ))
        command = [*uv, 'pip', 'install', '--python', str(self.python)]
        if config.get('no-index', 'false').lower() in ('1', 'true', 'yes', 'on'):
            command.append('--no-index')
        return command + self.torch_backend(command)

    def torch_backend(self, command: list[str]) -> list[str]:
        """Return uv's option for a CPU build of torch if a CUDA build would be installed without a GPU."""
        if not sys.platform.startswith('linux') or shutil.which('nvidia-smi') or 'UV_TORCH_BACKEND' in os.environ:
            return []
        options = {'env': {**self.environment, 'UV_HTTP_RETRIES': '0'}, 'capture_output': True, 'text': True}
        plain = self.run([*command, '--dry-run', self.torch], **options)
        if plain.returncode or 'nvidia-' not in plain.stderr:
            return []
        if not self.run([*command, '--dry-run', '--torch-backend=cpu', self.torch], **options).returncode:
            return ['--torch-backend=cpu']
        print(
            'No CPU build of torch is available: installing the CUDA build, several GB (see docs/install.md)',
            flush=True,
        )
        return []

    def verify(self) -> None:
        """Check for missing system libraries by importing the packages, and print the versions."""
        result = self.run([str(self.python), '-c', VERIFY], capture_output=True, text=True)
        if 'libGL' in result.stderr or 'libgthread' in result.stderr:
            raise SetupError(
                'opencv-python needs system libraries. On Debian or Ubuntu: apt install libgl1 libglib2.0-0'
            )
        if result.returncode:
            raise SetupError(f'the new environment does not work: {result.stderr.strip().splitlines()[-1]}')
        print(result.stdout.strip(), flush=True)

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command that keeps the lock while it runs, even if this process is killed."""
        return subprocess.run(command, **{'env': self.environment, 'pass_fds': [self.lock], **options})


def main() -> None:
    """Parse the options and run the set-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--venv', default=str(ROOT / '.venv'))
    parser.add_argument('--torch', default='2.13.*', help='version of torch')
    parser.add_argument('--extra', default='lite', choices=('lite', 'mm'), help='mm: without mmcv-lite')
    parser.add_argument('--installer', default='uv', choices=('uv', 'pip'))
    parser.add_argument('--docs', action='store_true', help='also what the documentation site needs')
    parser.add_argument('--pip-args', default='', help='arguments for the installer')
    try:
        if not (3, 10) <= sys.version_info[:2] <= (3, 13):
            raise SetupError(f'expected Python 3.10 to 3.13, but got {sys.version.split()[0]}. Use: make PYTHON=...')
        Setup(parser.parse_args())()
    except SetupError as error:
        sys.exit(f'Set-up stopped: {error}')
    except KeyboardInterrupt:
        sys.exit('Set-up interrupted; run the same command again.')


if __name__ == '__main__':
    main()

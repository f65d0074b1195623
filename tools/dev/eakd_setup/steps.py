"""The steps of the set-up, in order, with what each is expected to take."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from eakd_setup import checks, runner
from eakd_setup.checks import SetupError
from eakd_setup.lock import Lock
from eakd_setup.mmcv_wheel import COMPILE_CORE_MINUTES, MmcvWheels, build_environment
from eakd_setup.state import State, setup_key

STEPS = 7
# A pip that was stopped may leave half a package behind; these steps can be taken up again where they stopped.
RESUMABLE = ('compile', 'verify')
NO_INDEX = (
    '\n  pip found no version at all: either its package index is out of reach (see the network, and pip config list), '
    'or the index has no wheel for this system.'
)

_VERIFY = """
import sys, torch, mmcv, mmcv.ops, mmengine, mmdet, eakd_det, mmrazor
assert torch.ones(2).sum() == 2
print(f'Python {sys.version.split()[0]}, torch {torch.__version__}, mmcv {mmcv.__version__} with ops, '
      f'mmengine {mmengine.__version__}, mmdet {mmdet.__version__}, mmrazor {mmrazor.__version__}, '
      f'eakd_det {eakd_det.__version__}')
"""


class Setup:
    """One run of the set-up in ``root``, while the lock is held."""

    def __init__(self, root: Path, pip_args: Sequence[str], lock: Lock) -> None:
        self.root = root
        self.pip_args = list(pip_args)
        self.lock = lock
        self.venv = root / '.venv'
        self.python = self.venv / 'bin' / 'python'
        self.log = root / '.wheels' / 'setup.log'
        self.state = State(self.venv)
        requirement = read_requirements(root / 'requirements' / 'mmcv.txt')[0]
        self.wheels = MmcvWheels(root / '.wheels', self.python, requirement, pip_args, self.log)
        self.number = 0

    def __call__(self) -> None:
        """Take all steps."""
        self.log.write_text('')
        self.say('checking this machine', 'a second')
        checks.check_venv_modules()
        checks.check_disk(self.venv)
        checks.check_tmp()
        checks.check_libraries()
        self.make_venv()
        wheels = self.look_for_mmcv()
        self.say('installing torch and what mmcv is built with', 'about 1 min, and the download of torch: 0.2 GB')
        self.pip_install('torch', '-r', 'requirements/build.txt')
        self.say('installing MMDetection, MMRazor and the rest', '1 to 2 min')
        names = ('mminstall', 'runtime', 'tests')
        self.pip_install('packages', *(arg for name in names for arg in ('-r', f'requirements/{name}.txt')))
        self.install_mmcv(wheels)
        self.say('installing eakd_det itself and verifying', 'about 20 s')
        self.pip_install('project', '--no-deps', '--no-build-isolation', '-e', '.')
        self.verify()

    def say(self, what: str, expected: str) -> None:
        """Announce the next step."""
        self.number += 1
        print(f'[{self.number}/{STEPS}] {what} ({expected})', flush=True)

    def note(self, text: str) -> None:
        """Say how a step went."""
        print(f'      {text}', flush=True)

    @contextlib.contextmanager
    def running(self, step: str) -> Iterator[None]:
        """Name the step in the stamp while it runs; it stays named there if it does not come to its end."""
        self.state.write(running=step, python=python_tag())
        yield
        self.state.write(running='', python=python_tag())

    def make_venv(self) -> None:
        """Make the virtual environment; one of ours that cannot be trusted is made anew."""
        self.say('making the virtual environment .venv', 'about 5 s')
        if self.venv.exists():
            reason = self.distrust()
            if reason is None:
                self.note('kept: it is sound, only brought up to date')
                return
            self.note(f'removing the old one: {reason}')
            shutil.rmtree(self.venv)
        self.venv.mkdir()
        with self.running('venv'):
            runner.run([sys.executable, '-m', 'venv', str(self.venv)], log=self.log, lock=self.lock)

    def distrust(self) -> str | None:
        """Return why the present virtual environment cannot be built upon, or ``None`` if it can.

        Raises:
            SetupError: If it is not one of ours, and so not ours to remove.
        """
        if not self.state.path.exists() and any(self.venv.iterdir()):
            raise SetupError(
                f'{self.venv} is there, but was not made by this set-up, which therefore leaves it alone. '
                'Remove it (make clean does), or use it yourself: .venv/bin/python -m pytest'
            )
        stamp = self.state.read()
        if stamp.get('running') not in ('', *RESUMABLE):
            return f'its set-up was interrupted ({stamp.get("running")})'
        if stamp.get('python') != python_tag():
            return f'it was made with another Python ({stamp.get("python")})'
        works = subprocess.run([str(self.python), '-m', 'pip', '--version'], capture_output=True).returncode == 0
        return None if works else 'its pip does not start'

    def pip_install(self, step: str, *args: str) -> None:
        """Run ``pip install`` in the virtual environment, with the user's own pip settings."""
        command = [str(self.python), '-m', 'pip', 'install', *self.pip_args, *args]
        # A user-wide `user = true` would make pip refuse to install into a virtual environment.
        env = {**os.environ, 'PIP_USER': '0'}
        look = self.watch_for_cuda()
        with self.running(step):
            try:
                runner.run(command, log=self.log, what=step, env=env, cwd=self.root, lock=self.lock, on_line=look)
            except SetupError as error:
                raise SetupError(f'{error}{NO_INDEX if "(from versions: none)" in str(error) else ""}') from error

    def watch_for_cuda(self) -> Callable[[str], None]:
        """Return a function that looks for signs of a CUDA torch in pip's output, which needs much more disk."""
        seen = False

        def look(line: str) -> None:
            nonlocal seen
            if not seen and line.strip().startswith(('Collecting nvidia-', 'Collecting cuda-')):
                seen = True
                print()
                self.note('pip takes the CUDA build of torch (several GB). For the CPU build see docs/install.md.')
                checks.check_disk(self.venv, checks.NEED_CUDA, 'the virtual environment with CUDA torch')
                checks.check_tmp(checks.NEED_TMP_CUDA)

        return look

    def look_for_mmcv(self) -> list[Path]:
        """Look for a ready-made wheel, and check for what a compile needs if there is none."""
        self.say(f'looking for a wheel of {self.wheels.requirement}', 'some seconds')
        if self.wheels.works():
            self.note('none needed: its ops are installed and work')
            return []
        wheels = self.wheels.cached() or self.wheels.download(self.root.parent / 'shared' / 'wheels')
        if wheels:
            self.note(f'found {wheels[0].name}')
        else:
            self.note(f'none; it will be compiled with {checks.check_compiler()}')
        return wheels

    def install_mmcv(self, wheels: list[Path]) -> None:
        """Install mmcv from the first wheel that works with this torch, and compile one if none does."""
        env = build_environment(self.venv, checks.compiler() or 'c++')
        minutes = max(1, round(COMPILE_CORE_MINUTES / int(env['MAX_JOBS'])))
        self.say(
            f'mmcv with compiled ops, for torch {self.wheels.torch_version()}',
            'some seconds' if wheels else f'about {minutes} min with {env["MAX_JOBS"]} compile jobs',
        )
        if self.wheels.works():
            self.note('already there')
            return
        for wheel in self.wheels.cached(self.wheels.torch_version()) or wheels:
            self.pip_install('mmcv', '--force-reinstall', '--no-deps', str(wheel))
            if self.wheels.works():
                return
            self.note(f'{wheel.name} does not work with this torch; compiling instead (about {minutes} min)')
        checks.check_compiler()
        with self.running('compile'):
            wheel = self.wheels.build(env, self.lock)
        self.pip_install('mmcv', '--force-reinstall', '--no-deps', str(wheel))

    def verify(self) -> None:
        """Import everything once and say the versions in one line; this also fills Python's bytecode cache."""
        with self.running('verify'):
            result = subprocess.run([str(self.python), '-c', _VERIFY], capture_output=True, text=True, cwd=self.root)
            if result.returncode != 0:
                raise SetupError(f'The new environment does not work:\n{result.stderr[-2000:]}')
        self.state.write(key=setup_key(self.root), running='', python=python_tag())
        self.note(result.stdout.strip().splitlines()[-1])


def python_tag() -> str:
    """Return what a virtual environment must share with this interpreter."""
    return f'{checks.dotted(tuple(sys.version_info[:2]))} {sys.base_prefix}'


def read_requirements(file: Path) -> list[str]:
    """Return the requirements in ``file`` without comments."""
    lines = (line.split('#')[0].strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]

"""Get a wheel of mmcv with compiled ops: from the cache, from where pip finds one, or from the source distribution."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from eakd_setup import runner
from eakd_setup.checks import GIB, SetupError
from eakd_setup.lock import Lock

# With GCC 12 and torch 2.13 a file was seen to take half of this memory, and all of them this much processor time.
MEMORY_A_JOB = 1.0 * GIB
COMPILE_CORE_MINUTES = 14.0

_PROBE = (
    'import torch; from mmcv.ops import nms, RoIAlign; '
    'nms(torch.tensor([[0.0, 0.0, 9.0, 9.0]]), torch.ones(1), 0.5); '
    'RoIAlign(2)(torch.ones(1, 1, 8, 8), torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]]))'
)


class MmcvWheels:
    """The folder ``.wheels`` of a checkout: wheels of mmcv by the torch version that they were built against."""

    def __init__(self, folder: Path, python: Path, requirement: str, pip_args: Sequence[str], log: Path) -> None:
        self.folder = folder
        self.python = python
        self.requirement = requirement
        self.pip_args = list(pip_args)
        self.log = log
        self.pattern = f'{requirement.replace("==", "-")}-cp{sys.version_info[0]}{sys.version_info[1]}-*.whl'

    def works(self) -> bool:
        """Tell whether the installed mmcv is the wanted version and its ops run with the installed torch."""
        version = self.requirement.split('==')[1]
        code = f'import mmcv; assert mmcv.__version__ == {version!r}; {_PROBE}'
        return subprocess.run([str(self.python), '-c', code], capture_output=True, cwd=self.folder).returncode == 0

    def torch_version(self) -> str:
        """Return the installed torch's version with its local part, as in ``2.13.0+cpu``."""
        code = 'import torch; print(torch.__version__)'
        return subprocess.run([str(self.python), '-c', code], capture_output=True, text=True, check=True).stdout.strip()

    def cached(self, torch_version: str = '*') -> list[Path]:
        """Return the wheels that were built here before, for this Python."""
        return sorted(self.folder.glob(f'torch-{torch_version}/{self.pattern}'))

    def download(self, extra_folder: Path) -> list[Path]:
        """Return a ready-made wheel if pip finds one where it is told to look, or in ``extra_folder``."""
        target = self.folder / 'found'
        shutil.rmtree(target, ignore_errors=True)
        command = self._pip('download', '--no-deps', '--only-binary=:all:', '--dest', str(target), self.requirement)
        if extra_folder.is_dir():
            command += ['--find-links', str(extra_folder)]
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        with self.log.open('a') as file:
            file.write(f'\n$ {command}\n{result.stdout}{result.stderr}')
        return sorted(target.glob(self.pattern))

    def build(self, env: Mapping[str, str], lock: Lock) -> Path:
        """Compile mmcv; what an interrupted compile had finished is kept and used."""
        torch_version = self.torch_version()
        source = self._source(torch_version, env, lock)
        output = source.parent / 'wheel'
        command = self._pip(
            'wheel', '-v', '--no-deps', '--no-build-isolation', '--no-cache-dir', '-w', str(output), '.'
        )
        runner.run(command, log=self.log, what='compile', status=runner.compile_status, env=env, cwd=source, lock=lock)
        built = sorted(output.glob(self.pattern))
        if not built:
            raise SetupError(f'The build of {self.requirement} left no wheel in {output}. All output: {self.log}')
        target = self.folder / f'torch-{torch_version}' / built[0].name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(built[0], target)
        shutil.rmtree(source.parent)
        return target

    def _source(self, torch_version: str, env: Mapping[str, str], lock: Lock) -> Path:
        """Return the unpacked source distribution, in a folder that belongs to this torch and this Python."""
        tag = f'cp{sys.version_info[0]}{sys.version_info[1]}'
        work = self.folder / f'build-{tag}-torch-{torch_version}'
        source = work / self.requirement.replace('==', '-')
        if source.exists():
            return source
        shutil.rmtree(work, ignore_errors=True)
        command = self._pip('download', '--no-deps', '--no-binary=:all:', '--no-build-isolation', '--dest', str(work))
        runner.run([*command, self.requirement], log=self.log, what='source', env=env, lock=lock)
        (archive,) = work.glob('*.tar.gz')
        shutil.unpack_archive(str(archive), str(work / 'unpacked'))
        os.replace(work / 'unpacked' / source.name, source)
        return source

    def _pip(self, verb: str, *args: str) -> list[str]:
        return [str(self.python), '-m', 'pip', verb, *self.pip_args, *args]


def build_environment(venv: Path, compiler: str) -> dict[str, str]:
    """Return the environment in which mmcv's ``setup.py`` builds its ops; what the user has set stays."""
    env = dict(os.environ)
    env['PATH'] = f'{venv / "bin"}{os.pathsep}{env["PATH"]}'
    env.setdefault('MMCV_WITH_OPS', '1')
    env.setdefault('MAX_JOBS', str(compile_jobs()))
    env.setdefault('CXX', compiler)
    # Debug information is half of the compile time.
    env['CFLAGS'] = f'{env.get("CFLAGS", "")} -g0'.strip()
    return env


def compile_jobs(cores: int | None = None, memory: float | None = None) -> int:
    """Return how many files to compile at once: one a core, as far as the free memory goes."""
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    memory = _free_memory() if memory is None else memory
    return max(1, min(cores, int(memory / MEMORY_A_JOB)))


def _free_memory() -> float:
    """Return the free bytes of memory; all of it where the system does not tell."""
    try:
        lines = Path('/proc/meminfo').read_text().splitlines()
    except OSError:
        return float(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))
    sizes = {line.split(':')[0]: float(line.split()[1]) * 1024 for line in lines}
    return sizes.get('MemAvailable', sizes['MemTotal'])

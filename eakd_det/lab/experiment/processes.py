"""One run as a process: its folder, its command, its lock, and its end."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any, Literal

from eakd_det.files import write_json
from eakd_det.lab.experiment.fingerprint import source_digest
from eakd_det.lab.experiment.records import (
    CONSOLE_NAME,
    ERROR_NAME,
    RunRecord,
    failure_reason,
    read_record,
    write_record,
)
from eakd_det.lab.experiment.runs import RUN_NAME, Run, read_json, write_config
from eakd_det.lab.experiment.workers import Task, start_process
from eakd_det.paths import tools_dir

_LOCK = '.lock'
_GRACE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of the runs.

    Args:
        jobs: Number of parallel runs.
        threads: Threads of each run; 0 is PyTorch's default.
        processes: Processes of each run, which share the batch (``torch.distributed``).
        gpus: Ids of the GPUs to distribute among the runs; empty is PyTorch's default.
        executor: 'slurm' or 'local' for jobs of submitit; None for processes of this machine.
        executor_options: Its options, by submitit's names.
    """

    jobs: int = 1
    threads: int = 0
    processes: int = 1
    gpus: tuple[str, ...] = ()
    executor: Literal['slurm', 'local'] | None = None
    executor_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Job:
    """A run with its process."""

    run: Run
    process: BaseProcess
    slot: int
    started: float


def start(run: Run, settings: Settings, slot: int, lock: IO[str]) -> Job:
    """Start or resume a run in its folder; its process keeps the folder's ``lock``."""
    resume = _make_room(run)
    begun: dict[str, Any] = dict(fingerprint=run.fingerprint, command=run.command, jobs=settings.jobs)
    begun.update(threads=settings.threads, processes=settings.processes, source=source_digest())
    write_json(run.folder / RUN_NAME, begun)
    (run.folder / ERROR_NAME).unlink(missing_ok=True)
    module, arguments = _command(run, write_config(run, settings.processes), resume, settings)
    task = Task(module, arguments, run.folder / CONSOLE_NAME, _environment(run, settings, slot), settings.threads)
    return Job(run, start_process(task, lock), slot, time.monotonic())


def _make_room(run: Run) -> bool:
    """Prepare the folder and return whether the run resumes from a checkpoint in it."""
    if not run.belongs():
        if (run.folder / RUN_NAME).exists():
            lock = run.folder / _LOCK
            kept = run.folder.parent / f'.{run.folder.name}{_LOCK}'
            lock.rename(kept)  # the same file, so the lock stays locked
            set_aside(run.folder)
            run.folder.mkdir(parents=True)
            kept.rename(lock)
        return False
    if any(run.folder.glob('*.pth')):
        return True
    for path in run.folder.iterdir():
        if path.name != _LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return False


def _command(run: Run, config: Path, resume: bool, settings: Settings) -> tuple[str, list[str]]:
    """Return the module whose ``main`` is called, and its command line."""
    flags = ['--resume'] if resume else ['--teacher'] if run.tool == 'test' else []
    arguments = [str(config), '--work-dir', str(run.folder), *flags]
    if settings.processes == 1 or run.tool == 'test':
        return f'eakd_det.cli.{run.tool}', arguments
    launch = [f'--nproc_per_node={settings.processes}', f'--master_port={_free_port()}']
    script = str(tools_dir() / f'{run.tool}.py')
    return 'torch.distributed.run', [*launch, script, *arguments, '--launcher', 'pytorch']


def _environment(run: Run, settings: Settings, slot: int) -> dict[str, str]:
    environment = {'TORCHELASTIC_ERROR_FILE': str(run.folder / ERROR_NAME)}
    if 'OMP_WAIT_POLICY' not in os.environ:
        environment['OMP_WAIT_POLICY'] = 'PASSIVE'  # threads that wait by spinning would keep the cores from others
    if settings.threads:
        environment.update(OMP_NUM_THREADS=str(settings.threads), MKL_NUM_THREADS=str(settings.threads))
    if settings.gpus:
        share = settings.gpus[slot * settings.processes : (slot + 1) * settings.processes]
        environment['CUDA_VISIBLE_DEVICES'] = ','.join(share)
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def finish(job: Job) -> RunRecord:
    """Write the record of an ended run, with the reason if it failed."""
    status = job.process.exitcode
    if status:
        return record_failure(job.run, failure_reason(job.run.folder, status))
    record = read_record(job.run)
    write_record(job.run, record)
    return record


def record_failure(run: Run, reason: str) -> RunRecord:
    """Write and return the record of a run that failed."""
    path = run.folder / RUN_NAME
    write_json(path, {**read_json(path), 'fingerprint': run.fingerprint, 'error': reason})
    record = read_record(run)
    write_record(run, record)
    return record


def set_aside(folder: Path) -> None:
    """Rename a folder, so that its run starts from scratch and nothing is lost."""
    stamp = datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S%fZ')
    folder.rename(folder.with_name(f'{folder.name}.previous-{stamp}'))


@contextmanager
def locked(folder: Path) -> Iterator[IO[str] | None]:
    """Hold the folder's lock inside the context; None if another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open('a') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def end(processes: Sequence[BaseProcess]) -> None:
    """End processes and all that they have started, by SIGTERM first."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            if process.exitcode is None:
                _send(process, sent)
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in processes:
            process.join(max(deadline - time.monotonic(), 0.1))


def _send(process: BaseProcess, sent: signal.Signals) -> None:
    try:
        os.killpg(process.pid or 0, sent)
    except ProcessLookupError:  # it has no process group yet
        process.kill()

"""Execute the runs of a plan as an array job on a cluster, through submitit; or locally, by the same path."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.files import write_json
from eakd_det.lab.experiment.processes import Settings, end, finish, locked, record_failure, start
from eakd_det.lab.experiment.records import RunRecord, read_record, write_record
from eakd_det.lab.experiment.runs import Run, read_json

SUBMITTED_NAME = 'cluster/submitted.json'
_POLL_SECONDS = 1.0
_MINUTES = 7 * 24 * 60  # Slurm cuts it down to the limit of the partition, submitit's own limit is two minutes


@dataclasses.dataclass(frozen=True)
class ClusterTask:
    """What a job of the cluster does: one run, as :func:`eakd_det.lab.experiment.pool.execute` does it.

    Args:
        run: The run.
        settings: Its settings.
    """

    run: Run
    settings: Settings

    def __call__(self) -> None:
        """Start or resume the run, wait for its end, and write its record."""
        with locked(self.run.folder) as lock:
            if lock is None or read_record(self.run).status == 'finished':
                return  # another job has it, or had it
            job = start(self.run, self.settings, 0, lock)
            try:
                job.process.join()
            finally:
                end([job.process])  # also when the cluster takes the node away
            finish(job)

    def checkpoint(self) -> Any:
        """Return what a job that is cut off by a time limit or a pre-emption does next: resume."""
        return _submitit().helpers.DelayedSubmission(self)


@dataclasses.dataclass
class ClusterJob:
    """A submitted run."""

    run: Run
    handle: Any
    started: float


def execute_on_cluster(
    waiting: list[Run],
    settings: Settings,
    watch: Callable[[Sequence[ClusterJob], Sequence[Run]], None],
    ended: Callable[[Run, RunRecord, float | None], None],
    root: Path,
) -> None:
    """Submit all unfinished runs as one array job, and write the record of each.

    Stopped, it leaves Slurm's queue as it is, and the next call finds its jobs again. Local jobs end with it.

    Args:
        waiting: The runs, in order; each is removed when it is submitted. ``ended`` may add others, which become an
            array of their own.
        settings: Settings of the runs.
        watch: Called every second with the submitted runs and those that wait.
        ended: Called with each run that has ended, its record, and its seconds; None if it was already finished.
        root: Folder of the experiment, on a file system that all nodes share.
    """
    executor = _executor(settings, root)
    jobs: list[ClusterJob] = []
    try:
        while waiting or jobs:
            for job in [job for job in jobs if job.handle.done()]:
                jobs.remove(job)
                ended(job.run, _record(job), time.monotonic() - job.started)
            _submit(waiting, jobs, executor, settings, root, ended)
            watch(jobs, waiting)
            if jobs or waiting:
                time.sleep(_POLL_SECONDS)
    finally:
        if settings.executor == 'local':
            for job in jobs:
                job.handle.cancel()


def _submit(
    waiting: list[Run],
    jobs: list[ClusterJob],
    executor: Any,
    settings: Settings,
    root: Path,
    ended: Callable[[Run, RunRecord, float | None], None],
) -> None:
    """Submit the runs that no job has; on one machine, no more than are to run side by side."""
    submitted = read_json(root / SUBMITTED_NAME)
    chosen: list[Run] = []
    for run in list(waiting):
        if settings.executor == 'local' and len(jobs) + len(chosen) >= settings.jobs:
            break
        earlier = _earlier_job(submitted.get(str(run.folder)), settings, root)
        with locked(run.folder) as lock:
            record = read_record(run)
            if record.status == 'finished':
                waiting.remove(run)
                write_record(run, record)
                ended(run, record, None)
            elif earlier is not None:
                waiting.remove(run)
                jobs.append(ClusterJob(run, earlier, time.monotonic()))
            elif lock is not None:  # else a process executes it that is no job of this experiment
                waiting.remove(run)
                chosen.append(run)
    if chosen:
        handles = executor.submit_array([ClusterTask(run, settings) for run in chosen])
        jobs += [ClusterJob(run, handle, time.monotonic()) for run, handle in zip(chosen, handles, strict=True)]
        submitted.update({str(job.run.folder): job.handle.job_id for job in jobs})
        write_json(root / SUBMITTED_NAME, submitted)


def _earlier_job(job_id: str | None, settings: Settings, root: Path) -> Any:
    """Return a job of an earlier call that still waits or runs; None if there is none."""
    if job_id is None or settings.executor != 'slurm':
        return None
    job = _submitit().SlurmJob(folder=root / 'cluster', job_id=job_id)
    return None if job.done(force_check=True) else job


def _record(job: ClusterJob) -> RunRecord:
    """Return the record of an ended run; a job that could not even write one failed."""
    record = read_record(job.run)
    if record.status not in ('finished', 'failed'):
        record = record_failure(job.run, f'job {job.handle.job_id} ended as {job.handle.state}; see its log')
    return record


def _executor(settings: Settings, root: Path) -> Any:
    submitit = _submitit()
    options = {'name': 'eakd', 'timeout_min': _MINUTES, 'slurm_array_parallelism': settings.jobs}
    try:
        executor = submitit.AutoExecutor(folder=root / 'cluster', cluster=settings.executor)
        executor.update_parameters(**{**options, **settings.executor_options})
    except (NameError, AssertionError, RuntimeError, ValueError) as error:
        raise ConfigError(f'--executor, --executor-options: {" ".join(str(error).split())}') from error
    return executor


def _submitit() -> Any:
    try:
        return importlib.import_module('submitit')
    except ModuleNotFoundError as error:
        raise ConfigError("--executor needs the package submitit: pip install 'eakd-det[cluster]'") from error

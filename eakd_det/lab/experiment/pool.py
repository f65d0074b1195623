"""Run the runs of a plan as processes, some side by side; each can be killed at any time and taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.processes import Job, Settings, end, finish, locked, set_aside, start
from eakd_det.lab.experiment.records import RunRecord, read_record, write_record
from eakd_det.lab.experiment.runs import Run

_POLL_SECONDS = 0.25


def execute(
    waiting: list[Run],
    settings: Settings,
    watch: Callable[[Sequence[Job], Sequence[Run]], None],
    ended: Callable[[Run, RunRecord, float | None], None],
) -> None:
    """Run all that is not finished, and write the record of each.

    A run that another process is still at (a former call that was killed leaves its runs running) is waited for. What
    fails is recorded as failed, and the others go on. When this is interrupted, its processes are ended.

    Args:
        waiting: The runs, in order; each is taken out when it begins. ``ended`` may add others, which depend on it.
        settings: How.
        watch: Called every quarter of a second with the jobs that run and the runs that wait.
        ended: Called with each run that has ended, its record, and the seconds it took; None if it was done before.
    """
    jobs: list[Job] = []
    try:
        while waiting or jobs:
            for job in [job for job in jobs if job.process.exitcode is not None]:
                jobs.remove(job)
                ended(job.run, finish(job), time.monotonic() - job.started)
            for run in list(waiting):
                if len(jobs) >= settings.jobs:
                    break
                slot = min(set(range(settings.jobs)) - {job.slot for job in jobs})
                with locked(run.folder) as lock:
                    if lock is None:
                        continue  # somebody is at it
                    waiting.remove(run)
                    record = read_record(run)
                    if record.status == 'finished':
                        write_record(run, record)
                        ended(run, record, None)
                    else:
                        jobs.append(start(run, settings, slot, lock))
            watch(jobs, waiting)
            if jobs or waiting:
                time.sleep(_POLL_SECONDS)
    finally:
        end([job.process for job in jobs])


def begin_anew(run: Run) -> None:
    """Rename the folder of a run, so that it is trained again.

    Raises:
        ConfigError: If a process is still at it.
    """
    if run.folder.exists():
        with locked(run.folder) as lock:
            if lock is None:
                raise ConfigError(f'--fresh: expected no process at work in {run.folder}, but one trains there')
            set_aside(run.folder)

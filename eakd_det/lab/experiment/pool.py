"""Execute the runs of a plan as parallel processes; each can be killed at any time and resumed."""

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
    """Execute all unfinished runs and write the record of each.

    It waits for runs that another process still executes (a killed call leaves its runs running). A failure is
    recorded, and the other runs continue. An interruption ends the processes.

    Args:
        waiting: The runs, in order; each is removed when it starts. ``ended`` may add others, which depend on it.
        settings: Settings of the runs.
        watch: Called every quarter of a second with the jobs that run and the runs that wait.
        ended: Called with each run that has ended, its record, and its seconds; None if it was already finished.
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
                        continue  # another process executes it
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


def set_run_aside(run: Run) -> None:
    """Rename the folder of a run, so that it starts from scratch.

    Raises:
        ConfigError: If a process still executes it.
    """
    if run.folder.exists():
        with locked(run.folder) as lock:
            if lock is None:
                raise ConfigError(f'--fresh: expected no process in {run.folder}, but one is training there')
            set_aside(run.folder)

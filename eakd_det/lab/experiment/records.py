"""The record of a run, from the files that the run writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from eakd_det.errors import ConfigError
from eakd_det.evaluation import RECORD_NAME, EvalEntry, EvalRecord
from eakd_det.files import write_json
from eakd_det.lab.experiment.loss_facts import loss_facts
from eakd_det.lab.experiment.runs import RUN_NAME, Run, read_json
from eakd_det.lab.experiment.start_hook import START_NAME
from eakd_det.lab.experiment.watch_hook import PROGRESS_NAME

RESULT_NAME = 'record.json'
CONSOLE_NAME = 'console.log'
ERROR_NAME = 'error.json'
Status = Literal['finished', 'failed', 'unfinished', 'missing']


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """The record of one run.

    Attributes:
        arm: Name of its arm, or 'teacher'.
        seed: Its seed.
        status: 'finished' is trained to the end and evaluated there; 'failed' ended with an error; 'unfinished' was
            stopped or still runs; 'missing' was never started with this config and these inputs.
        metrics: AP, AP50, ... of the last evaluation, as fractions.
        iterations: Number of training steps.
        seconds: Time of the training steps with their data loading, without evaluation; None if not trained.
        resumes: Number of resumes.
        start: Checksums of its start (:class:`eakd_det.lab.experiment.StartHook`).
        command: Command line that repeats it.
        fingerprint: Checksum of the config and its inputs.
        jobs: Largest number of parallel runs when it was started.
        threads: Number of threads; 0 is PyTorch's default.
        processes: Processes of one run.
        source: Checksum of the package's source when it was started.
        device: Device.
        versions: Versions of the packages.
        gpu_memory_mib: Peak memory on the GPU, if it had one.
        loss: Size of its distillation loss (:func:`eakd_det.lab.experiment.loss_facts.loss_facts`).
        error: Reason of a failure.
    """

    arm: str
    seed: int
    status: Status
    metrics: dict[str, float | None] = dataclasses.field(default_factory=dict)
    iterations: int | None = None
    seconds: float | None = None
    resumes: int = 0
    start: dict[str, Any] = dataclasses.field(default_factory=dict)
    command: str = ''
    fingerprint: str = ''
    jobs: int = 1
    threads: int = 0
    processes: int = 1
    source: str = ''
    device: str | None = None
    versions: dict[str, str | None] = dataclasses.field(default_factory=dict)
    gpu_memory_mib: int | None = None
    loss: dict[str, float] = dataclasses.field(default_factory=dict)
    error: str | None = None


def read_record(run: Run) -> RunRecord:
    """Return the record of a run from its folder; a record of another config or other inputs counts as missing."""
    begun = read_json(run.folder / RUN_NAME)
    plain = RunRecord(run.arm, run.seed, 'missing', command=run.command, fingerprint=run.fingerprint)
    if not begun:
        reused = read_json(run.folder / RESULT_NAME)
        return RunRecord(**reused) if reused.get('fingerprint') == run.fingerprint else plain
    if begun.get('fingerprint') != run.fingerprint:
        return plain
    progress = read_json(run.folder / PROGRESS_NAME)
    evaluated, provenance = _last_evaluation(run)
    known = dataclasses.replace(
        plain,
        status='unfinished',
        iterations=progress.get('iteration'),
        seconds=progress.get('seconds'),
        resumes=progress.get('resumes', 0),
        gpu_memory_mib=progress.get('gpu_memory_mib'),
        start=read_json(run.folder / START_NAME),
        loss=loss_facts(run.folder),
        device=provenance.get('device'),
        versions=provenance.get('versions', {}),
        **{name: begun[name] for name in ('jobs', 'threads', 'processes', 'source') if name in begun},
    )
    if begun.get('error') is not None:
        return dataclasses.replace(known, status='failed', error=begun['error'])
    if run.tool == 'train' and not progress.get('finished'):
        return known
    if evaluated is None:
        if run.tool == 'test':
            return known
        return dataclasses.replace(known, status='failed', error='it was not evaluated after its last iteration')
    return dataclasses.replace(known, status='finished', metrics=dict(evaluated.metrics))


def read_reports(paths: Iterable[Path]) -> dict[str, RunRecord]:
    """Return the finished runs in the ``report.json`` of earlier experiments, by fingerprint, without the teacher's:
    its weights are needed, and its evaluation has the fingerprint of the run whose config it uses.

    Raises:
        ConfigError: If a file is not such a report.
    """
    found = {}
    for path in paths:
        try:
            runs = [RunRecord(**run) for run in read_json(path)['runs']]
        except (KeyError, TypeError) as error:
            raise ConfigError(f'--reuse: expected the report.json of an experiment, but got {path}') from error
        found.update({run.fingerprint: run for run in runs if run.status == 'finished' and run.arm != 'teacher'})
    return found


def reuse_record(run: Run, known: Mapping[str, RunRecord]) -> None:
    """Count a run as finished that was not started here, if ``known`` has it with the same config and inputs."""
    record = known.get(run.fingerprint)
    if record is not None and not (run.folder / RUN_NAME).exists():
        write_record(run, dataclasses.replace(record, arm=run.arm, seed=run.seed))


def _last_evaluation(run: Run) -> tuple[EvalEntry | None, Mapping[str, Any]]:
    """Return the evaluation of the final weights and the metadata in its record."""
    try:
        record = EvalRecord.read(run.folder / RECORD_NAME)
    except ConfigError:
        return None, {}
    entry = record.last('student', 'val') if run.tool == 'train' else record.last('teacher', 'test')
    if entry is None or entry.metrics.get('AP') is None:
        return None, record.runs[-1] if record.runs else {}
    done = read_json(run.folder / PROGRESS_NAME).get('iteration')
    if run.tool == 'train' and entry.iteration != done:
        entry = None
    return entry, record.runs[-1]


def write_record(run: Run, record: RunRecord) -> None:
    """Write ``record.json``, a small file with all that a table needs."""
    write_json(run.folder / RESULT_NAME, dataclasses.asdict(record))


def failure_reason(folder: Path, exit_status: int) -> str:
    """Return why a run ended: its recorded error, or else (if it was killed) its last line of output."""
    written = read_json(folder / ERROR_NAME).get('message')
    if isinstance(written, dict):
        reason = str(written.get('message')).removeprefix(f'{ConfigError.__name__}: ')
    else:
        lines = _console(folder).split('\n')
        reason = next((line.strip() for line in reversed(lines) if line.strip()), 'nothing was printed')
    return f'exit status {exit_status}: {" ".join(reason.split())[:300]}'


def _console(folder: Path) -> str:
    try:
        return (folder / CONSOLE_NAME).read_text(errors='replace')
    except OSError:
        return ''

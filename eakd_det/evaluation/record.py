"""The record of a run's results, a JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically

RECORD_NAME = 'eval_record.json'
_FORMAT = 1

Subject = Literal['student', 'teacher']
Split = Literal['val', 'test']


@dataclass(frozen=True)
class EvalEntry:
    """One evaluation.

    Attributes:
        subject: The evaluated detector: 'student' (or the only detector) or 'teacher'.
        split: 'val' during training, 'test' by ``tools/test.py``.
        iteration: Training iteration of the weights; None for a checkpoint tested by name.
        epoch: Number of complete epochs, likewise.
        metrics: AP, AP50, AP75, APs, APm, APl as fractions; None if the data has no such box.
        time: Time of the evaluation (UTC, ISO 8601).
        seconds: Time since the start or resume of the run.
        run: Index of the run in :attr:`EvalRecord.runs`.
        checkpoint: The file of the weights, if they come from one.
    """

    subject: Subject
    split: Split
    iteration: int | None
    epoch: int | None
    metrics: dict[str, float | None]
    time: str
    seconds: float
    run: int
    checkpoint: str | None = None


@dataclass
class EvalRecord:
    """All evaluations in one work folder.

    Attributes:
        runs: A dict for every start and resume: mode, config (file, text, sha256), seed, versions, start time.
        entries: The evaluations in the order of time.

    Example:
        >>> entry = EvalEntry('student', 'val', 500, 1, {'AP': 0.31}, '2025-01-01T00:00:00Z', 60.0, run=0)
        >>> EvalRecord(runs=[{}], entries=[entry]).best().iteration
        500
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    entries: list[EvalEntry] = field(default_factory=list)

    @classmethod
    def read(cls, path: str | Path) -> EvalRecord:
        """Read a record; if the file is missing or has another format, raise :class:`ConfigError`."""
        try:
            content = json.loads(Path(path).read_bytes())
            if content['format'] != _FORMAT:
                raise ConfigError(f'{path}: expected a record of format {_FORMAT}, but got {content["format"]!r}')
            return cls(list(content['runs']), [EvalEntry(**entry) for entry in content['entries']])
        except FileNotFoundError as error:
            raise ConfigError(f'{path}: expected a record of evaluations, but there is no such file') from error
        except (ValueError, TypeError, KeyError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f'{path}: expected a record of evaluations ({type(error).__name__}: {error})') from error

    def write(self, path: str | Path) -> None:
        """Write the record atomically."""
        content = {'format': _FORMAT, 'runs': self.runs, 'entries': [asdict(entry) for entry in self.entries]}
        text = json.dumps(content, indent=1, allow_nan=False)
        write_atomically(path, f'{text}\n'.encode())

    def index_of(self, run: dict[str, Any]) -> int:
        """Return the index of ``run``, which is added if it is new."""
        if run not in self.runs:
            self.runs.append(run)
        return self.runs.index(run)

    def of(self, subject: Subject = 'student', split: Split | None = None) -> list[EvalEntry]:
        """Return the evaluations of one subject, of one split if given."""
        return [entry for entry in self.entries if entry.subject == subject and split in (None, entry.split)]

    def last(self, subject: Subject = 'student', split: Split | None = None) -> EvalEntry | None:
        """Return the latest evaluation of ``subject``; None if there is none."""
        return next(reversed(self.of(subject, split)), None)

    def best(self, subject: Subject = 'student', metric: str = 'AP', split: Split | None = None) -> EvalEntry | None:
        """Return the first evaluation of ``subject`` with the highest ``metric``; None if it was never measured."""
        measured = [entry for entry in self.of(subject, split) if entry.metrics.get(metric) is not None]
        return max(measured, key=lambda entry: entry.metrics[metric] or 0.0, default=None)

    def forget_same(self, entry: EvalEntry) -> None:
        """Drop earlier evaluations of the same subject, split and iteration as ``entry``."""
        what = entry.subject, entry.split, entry.iteration
        self.entries = [e for e in self.entries if e.iteration is None or (e.subject, e.split, e.iteration) != what]

    def forget_after(self, iteration: int) -> int:
        """Drop evaluations after ``iteration``, from which training resumes, and return their number."""
        kept = [entry for entry in self.entries if entry.iteration is None or entry.iteration <= iteration]
        dropped = len(self.entries) - len(kept)
        self.entries = kept
        return dropped


def set_aside(path: Path, why: Literal['corrupt', 'previous']) -> Path:
    """Rename a record to ``<name>.<why>-<time>``, and return the new path."""
    stamp = datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S%fZ')
    target = path.with_name(f'{path.stem}.{why}-{stamp}{path.suffix}')
    os.replace(path, target)
    return target


def utc_now() -> str:
    """Return the current time, UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')

"""The record of a run's results: one JSON file that other programs read."""

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
        subject: Whose detections: the student's (or the only detector's), or the teacher's.
        split: 'val' during training, 'test' by ``tools/test.py``.
        iteration: Training iterations behind the weights; None for a checkpoint that was tested by name.
        epoch: Epochs that are complete by then; likewise.
        metrics: AP, AP50, AP75, APs, APm, APl as fractions; None where the data has no such box.
        time: When it was done (UTC, ISO 8601).
        seconds: Time since the run was started or resumed.
        run: Index of that run in :attr:`EvalRecord.runs`.
        checkpoint: The file of the weights, where they come from one.
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
        runs: One dict for every start and resume: mode, config (file, text, sha256), seed, versions, start time.
        entries: The evaluations in the order they were done.

    Example:
        >>> entry = EvalEntry('student', 'val', 500, 1, {'AP': 0.31}, '2025-01-01T00:00:00Z', 60.0, run=0)
        >>> EvalRecord(runs=[{}], entries=[entry]).last().iteration
        500
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    entries: list[EvalEntry] = field(default_factory=list)

    @classmethod
    def read(cls, path: str | Path) -> EvalRecord:
        """Read a record.

        Raises:
            ConfigError: If the file is missing or is no record of this format.
        """
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
            raise ConfigError(f'{path}: is no record of evaluations ({type(error).__name__}: {error})') from error

    def write(self, path: str | Path) -> None:
        """Write the record so that whoever reads it, and whatever happens meanwhile, sees the old or the new one."""
        content = {'format': _FORMAT, 'runs': self.runs, 'entries': [asdict(entry) for entry in self.entries]}
        text = json.dumps(content, indent=1, allow_nan=False)
        write_atomically(path, f'{text}\n'.encode())

    def index_of(self, run: dict[str, Any]) -> int:
        """The index of ``run``, which is added unless it is there; others may have added theirs meanwhile."""
        if run not in self.runs:
            self.runs.append(run)
        return self.runs.index(run)

    def of(self, subject: Subject = 'student', split: Split | None = None) -> list[EvalEntry]:
        """The evaluations of one subject, of one split if given."""
        return [entry for entry in self.entries if entry.subject == subject and split in (None, entry.split)]

    def last(self, subject: Subject = 'student', split: Split | None = None) -> EvalEntry | None:
        """The latest evaluation of ``subject``; None if there is none."""
        return next(reversed(self.of(subject, split)), None)

    def forget_same(self, entry: EvalEntry) -> None:
        """Drop what was measured before of the same weights of this training, because it was measured again."""
        what = entry.subject, entry.split, entry.iteration
        self.entries = [e for e in self.entries if e.iteration is None or (e.subject, e.split, e.iteration) != what]

    def forget_after(self, iteration: int) -> int:
        """Drop what training measured after ``iteration``, because it goes on from there; gives their number."""
        kept = [entry for entry in self.entries if entry.iteration is None or entry.iteration <= iteration]
        dropped = len(self.entries) - len(kept)
        self.entries = kept
        return dropped


def set_aside(path: Path, why: Literal['corrupt', 'previous']) -> Path:
    """Rename a record that must not be written over to ``<name>.<why>-<time>``, and give its new name."""
    stamp = datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S%fZ')
    target = path.with_name(f'{path.stem}.{why}-{stamp}{path.suffix}')
    os.replace(path, target)
    return target


def utc_now() -> str:
    """The time now, UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')

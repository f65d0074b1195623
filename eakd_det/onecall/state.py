"""Settings and finished steps of a folder, kept in a file so that the same call continues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.files import write_json
from eakd_det.onecall.running import Cost
from eakd_det.onecall.steps import Step

NAME = 'distill.json'
_FOLDERS = ('data', 'unlabeled')
_STEPS = ('teacher', 'student', 'distilled')  # without a folder of theirs, nothing has been trained yet
_MAY_CHANGE = ('plain',)  # adds a step or leaves one out


@dataclass
class State:
    """The state of ``<out>``.

    Attributes:
        path: The file.
        settings: What was asked for.
        student: The name of the student that was chosen by size, so that another speed of the machine does not choose
            another one later.
        finished: What each finished step took.
    """

    path: Path
    settings: dict[str, Any]
    finished: dict[str, dict[str, float | None]]
    student: str | None = None

    @classmethod
    def of(cls, folder: Path, settings: Mapping[str, Any]) -> State:
        """Start or continue a folder.

        Raises:
            ConfigError: If it has a run with other settings.
        """
        path = folder / NAME
        asked = {
            name: _plain(name, value)
            for name, value in settings.items()
            if value is not None and name not in _MAY_CHANGE
        }
        finished: dict[str, dict[str, float | None]] = {}
        student = None
        if path.is_file():
            former = json.loads(path.read_text())
            before, finished = former.get('settings', {}), former.get('finished', {})
            differing = sorted(name for name in {*before, *asked} if before.get(name) != asked.get(name))
            begun = any(path.is_dir() for path in map(folder.joinpath, _STEPS))
            if differing and begun:
                raise ConfigError(
                    f'out: {folder} has a run with other settings ({", ".join(differing)}); name another folder'
                )
            student = former.get('student') if begun else None
        state = cls(path, asked, finished, student)
        state._write()
        return state

    def choose(self, student: str) -> None:
        """Record the student."""
        self.student = student
        self._write()

    def has(self, step: Step) -> bool:
        """Return whether a step has finished."""
        return step.name in self.finished and step.result.is_file()

    def keep(self, step: Step, cost: Cost) -> None:
        """Record a finished step."""
        self.finished[step.name] = dict(seconds=round(cost.seconds, 1), memory_mib=cost.memory_mib)
        self._write()

    def costs(self, name: str) -> Mapping[str, float | None]:
        """Return ``seconds`` and ``memory_mib`` of a step; nothing if it did not run here."""
        return self.finished.get(name, {})

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, dict(settings=self.settings, student=self.student, finished=self.finished))


def _plain(name: str, value: Any) -> str:
    return str(Path(value).resolve()) if name in _FOLDERS else str(value)

"""A finished distillation with its teacher and its plain student, found from a folder."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from eakd_det.cli.detectors import detector_config, is_distillation
from eakd_det.cli.run_results import SAME_DATA, STUDENT_CONFIG, agrees, plain_student
from eakd_det.errors import ConfigError
from eakd_det.evaluation.record import RECORD_NAME, EvalRecord
from eakd_det.export import Detector
from eakd_det.export.detector import WEIGHTS
from eakd_det.export.validation import CocoPhotos


@dataclass(frozen=True)
class FinishedRun:
    """A distilled student beside what it is compared with.

    Attributes:
        distilled: The work folder of the distillation.
        cfg: Its complete config.
        plain: The work folder of the same student without a teacher; None if there is none.
    """

    distilled: Path
    cfg: Config
    plain: Path | None

    @classmethod
    def find(cls, folder: str | Path, plain: str | Path | None = None) -> FinishedRun:
        """Find the run of a folder.

        Args:
            folder: ``out`` of :func:`eakd_det.distill`, or the work folder of a distillation.
            plain: Work folder of the plain student. None looks for a run of the same student, data and budget beside
                it.

        Raises:
            ConfigError: If it has no finished distillation.
        """
        where = Path(folder)
        distilled = where / 'distilled' if (where / 'distilled' / WEIGHTS).is_file() else where
        absent = [name for name in (RECORD_NAME, STUDENT_CONFIG, WEIGHTS) if not (distilled / name).is_file()]
        if absent:
            raise ConfigError(f'run: expected the folder of a finished run, but {distilled} has no {absent[0]}')
        runs = [run for run in EvalRecord.read(distilled / RECORD_NAME).runs if run.get('mode') == 'train']
        cfg = Config.fromstring(str(runs[-1]['config']['text']), '.py') if runs else Config()
        if not isinstance(cfg.get('model'), dict) or not is_distillation(cfg.model):
            raise ConfigError(
                f'run: expected the folder of a distillation, but {distilled} has no teacher in its config'
            )
        if plain is not None and not (Path(plain) / WEIGHTS).is_file():
            raise ConfigError(f'--student: expected the folder of a finished run, but {plain} has no {WEIGHTS}')
        beside = plain_student(distilled)
        return cls(distilled, cfg, Path(plain) if plain is not None else beside.folder if beside else None)

    @property
    def folder(self) -> Path:
        """The folder of all results."""
        return self.distilled.parent if self.distilled.name == 'distilled' else self.distilled

    def detectors(self, device: str | None = None) -> dict[str, Detector]:
        """Return 'teacher', 'student' (without a teacher) and 'distilled', as far as there are weights.

        A teacher of other classes (``model.class_map``) is left out.
        """
        found = {}
        checkpoint = self.cfg.model.get('teacher_ckpt')
        if checkpoint and self.cfg.model.get('class_map') is None:
            found['teacher'] = Detector(self._teacher(), checkpoint, device)
        if self.plain is not None:
            found['student'] = Detector.load(self.plain, device)
        found['distilled'] = Detector.load(self.distilled, device)
        return found

    def figures(self) -> dict[str, Mapping[str, float | None]]:
        """Return the recorded figures of the last validation, and measure the teacher's if no run here has them."""
        found: dict[str, Mapping[str, float | None]] = {}
        checkpoint = self.cfg.model.get('teacher_ckpt')
        if checkpoint and self.cfg.model.get('class_map') is None:
            found['teacher'] = self._recorded_teacher(Path(checkpoint)) or self._measured_teacher()
        for name, folder in (('student', self.plain), ('distilled', self.distilled)):
            if folder is not None and (figures := _recorded(folder)):
                found[name] = figures
        return found

    def photos(self) -> CocoPhotos:
        """Return the validation photos."""
        return CocoPhotos.of(self.cfg, tuple(self.cfg.get('classes') or Detector.load(self.distilled).classes))

    def config_file(self) -> Path | None:
        """Return the file of the complete config, which MMEngine writes into the work folder."""
        files = [path for path in self.distilled.glob('*.py') if path.name != STUDENT_CONFIG]
        return max(files, key=lambda path: path.stat().st_mtime, default=None)

    def _teacher(self) -> Config:
        cfg = copy.deepcopy(self.cfg)
        cfg.model = detector_config(self.cfg, 'teacher')
        return cfg

    def _recorded_teacher(self, checkpoint: Path) -> Mapping[str, float | None] | None:
        """Return what the teacher's own run recorded, if it ended with these weights and was validated on this data."""
        folder = checkpoint.parent
        is_last = checkpoint.name == WEIGHTS and agrees(self.distilled, folder, SAME_DATA)
        return _recorded(folder) if is_last else None

    def _measured_teacher(self) -> Mapping[str, float | None]:
        return self.photos().figures(Detector(self._teacher(), str(self.cfg.model.teacher_ckpt)))


def _recorded(folder: Path) -> Mapping[str, float | None] | None:
    try:
        last = EvalRecord.read(folder / RECORD_NAME).last('student', 'val')
    except ConfigError:
        return None
    return None if last is None else last.metrics

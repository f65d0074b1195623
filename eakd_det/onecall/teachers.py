"""The teacher that a user names: trained first, a checkpoint, a finished run, or a model of MMDetection's zoo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmdet
import yaml
from mmengine.config import Config

from eakd_det.checkpoint.student_weights import STUDENT_WEIGHTS
from eakd_det.cli.config import read_config
from eakd_det.cli.run_results import STUDENT_CONFIG
from eakd_det.errors import ConfigError


@dataclass(frozen=True)
class Teacher:
    """A teacher that exists, or whose training starts from existing weights.

    Attributes:
        checkpoint: Its weights; those to start from if it is to be fine-tuned.
        model: Its model; None is the pair's.
        fine_tune: Whether it is trained on the user's data first.
    """

    checkpoint: str
    model: dict[str, Any] | None = None
    fine_tune: bool = False

    @property
    def trained(self) -> str | None:
        """The weights to distil from; None if they have to be fine-tuned first."""
        return None if self.fine_tune else self.checkpoint


def find_teacher(name: str | None) -> Teacher | None:
    """Return the teacher of a name; None for None, which stands for one that is trained first.

    Args:
        name: A checkpoint, the work folder of a run of this package, a URL, or the name of a config in MMDetection's
            zoo (``'faster-rcnn_r50_fpn_1x_coco'``), which knows COCO's classes and is fine-tuned first.

    Raises:
        ConfigError: If there is no such teacher.
    """
    if name is None:
        return None
    if '://' in name:
        return Teacher(name)
    path = Path(name)
    if path.is_dir():
        path = path / STUDENT_WEIGHTS
    if path.is_file():
        beside = path.parent / STUDENT_CONFIG
        model = Config.fromfile(beside).model.to_dict() if beside.is_file() else None
        return Teacher(str(path.resolve()), model)
    found = _zoo(name)
    if found is None:
        raise ConfigError(
            "teacher: expected a checkpoint, a work folder, or the name of a model in MMDetection's zoo such as "
            f'faster-rcnn_r50_fpn_1x_coco, but got {name!r}'
        )
    return found


def _zoo(name: str) -> Teacher | None:
    root = Path(mmdet.__file__).parent / '.mim' / 'configs'
    config = next(root.glob(f'*/{Path(name).stem}.py'), None) if name and '/' not in name else None
    metafile = config.parent / 'metafile.yml' if config else None
    if config is None or metafile is None or not metafile.is_file():
        return None
    models = yaml.safe_load(metafile.read_text(encoding='utf-8')).get('Models') or []
    weights = next((model.get('Weights') for model in models if model.get('Name') == config.stem), None)
    if not weights:
        raise ConfigError(f"teacher: expected a model with weights, but MMDetection's zoo has none for {config.stem}")
    return Teacher(str(weights), read_config(str(config)).model.to_dict(), fine_tune=True)

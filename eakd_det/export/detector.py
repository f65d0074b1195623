"""A trained detector as a function of a photo."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from torch import no_grad

from eakd_det.checkpoint.trained import trained_detector
from eakd_det.checkpoint.zoo_index import SCHEME, zoo_entry
from eakd_det.errors import ConfigError
from eakd_det.export.detections import Detections
from eakd_det.export.images import read_bgr
from eakd_det.models.stock import stock_student_config

CONFIG, WEIGHTS = 'student.py', 'student.pth'


class CallableDetector(Protocol):
    """What finds objects on a photo: a :class:`Detector` or an exported one."""

    classes: tuple[str, ...]

    def __call__(self, image: Any) -> Detections:
        """Return the detections on a photo."""


class Detector:
    """A trained detector: ``detector(photo)`` returns what it finds.

    Attributes:
        model: MMDetection's detector, in eval mode.
        cfg: Its config.
        classes: Names of the classes.

    Args:
        cfg: The config of a plain detector, with a ``test_dataloader`` or ``val_dataloader``, whose pipeline prepares
            photos.
        checkpoint: Its weights.
        device: Where it runs. None is the GPU if there is one.

    Raises:
        ConfigError: If the weights do not fit, or the config does not say how to prepare a photo.

    Example:
        >>> detector = Detector.load('zoo://cards-student')
        >>> detector.classes
        ('ace', 'jack', 'king', 'nine', 'queen', 'ten')
        >>> detector('photo.jpg').above(0.5).names  # doctest: +SKIP
        ['queen', 'ten']
    """

    def __init__(self, cfg: Config, checkpoint: str | Path, device: str | None = None) -> None:
        self.cfg = cfg
        self.model, known = trained_detector(cfg, checkpoint)
        self.model.to(device or get_device())
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmdet'):
            self._prepare = Compose(preparation(cfg))
        classes = cfg.get('classes') or known
        if not classes:
            raise ConfigError(
                f'classes: expected the names of the classes, but neither config nor {checkpoint} has them'
            )
        self.classes = tuple(classes)

    @classmethod
    def load(cls, run: str | Path, device: str | None = None) -> Detector:
        """Load the detector of a work folder, or of the zoo by ``zoo://NAME``.

        A work folder has ``student.py`` and ``student.pth``, in it or in its folder ``distilled``.

        Raises:
            ConfigError: If they are not there.
        """
        if str(run).startswith(f'{SCHEME}://'):
            entry = zoo_entry(str(run).removeprefix(f'{SCHEME}://'), key='run')
            return cls(stock_student_config(Config.fromfile(entry.config)), str(run), device)
        folder = Path(run)
        if not (folder / WEIGHTS).is_file() and (folder / 'distilled').is_dir():
            folder = folder / 'distilled'
        absent = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
        if absent:
            raise ConfigError(f'run: expected a work folder of a finished run, but {folder} has no {absent[0]}')
        return cls(Config.fromfile(folder / CONFIG), folder / WEIGHTS, device)

    @no_grad()
    def __call__(self, image: Any) -> Detections:
        """Return the detections on a photo: a path, a PIL image, or an array of uint8 in RGB (see ``read_bgr``)."""
        data = self.prepare(image)
        model: Any = self.model
        found = model.test_step(dict(inputs=[data['inputs']], data_samples=[data['data_samples']]))[0].pred_instances
        boxes, scores, labels = (np.asarray(found[key].cpu()) for key in ('bboxes', 'scores', 'labels'))
        return Detections.of(boxes, scores, labels, self.classes)

    def prepare(self, image: Any) -> dict[str, Any]:
        """Return ``inputs`` and ``data_samples`` of a photo, as MMDetection's ``test_step`` takes them."""
        data: dict[str, Any] = self._prepare(dict(img=read_bgr(image), img_id=0))
        return data


def preparation(cfg: Config) -> list[dict[str, Any]]:
    """Return the transforms that prepare a photo in testing, from an array.

    Raises:
        ConfigError: If the config has no pipeline for testing.
    """
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    dataset = loader.get('dataset') or {}
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    steps = [dict(copy.deepcopy(step)) for step in dataset.get('pipeline') or []]
    if not steps or 'LoadImage' not in str(steps[0].get('type')):
        raise ConfigError('test_dataloader.dataset.pipeline: expected transforms that begin with LoadImageFromFile')
    steps[0] = dict(type='mmdet.LoadImageFromNDArray')
    meta = ('img_id', 'ori_shape', 'img_shape', 'scale_factor')
    steps = [step for step in steps if 'LoadAnnotations' not in str(step['type'])]
    return [{**step, 'meta_keys': meta} if 'PackDetInputs' in str(step['type']) else step for step in steps]

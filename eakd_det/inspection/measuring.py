"""Parameters, FLOPs, time and AP of the detectors of a run."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.analysis import get_model_complexity_info

from eakd_det.cli.export import FLOAT, FOLDER, INT8, read_record
from eakd_det.export import Detector, OnnxDetector
from eakd_det.export.detector import CallableDetector
from eakd_det.export.speed import median_seconds
from eakd_det.inspection.picture import TITLES
from eakd_det.inspection.runs import FinishedRun

_EXPORTED = {FLOAT: 'distilled student, ONNX', INT8: 'distilled student, ONNX int8'}


@dataclass(frozen=True)
class Measured:
    """One row of the comparison.

    Attributes:
        name: The detector.
        parameters: Number of its parameters.
        flops: Multiply-adds for the first photo, without post-processing; None if they cannot be counted.
        milliseconds: Median time for a photo.
        ap: AP on the validation photos, as a fraction; None if it was not measured.
        exported: Whether it runs without PyTorch.
    """

    name: str
    parameters: int | None
    flops: float | None
    milliseconds: float
    ap: float | None
    exported: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the row for a JSON file."""
        return asdict(self)


def measure_run(run: FinishedRun, number: int = 20, device: str | None = None) -> list[Measured]:
    """Measure teacher, plain student, distilled student, and the files of an earlier ``eakd-export``.

    AP is measured one photo at a time, as the detectors are used; validation during a training pads the photos of a
    batch to one size, which changes it a little. That of exported files was measured when they were written.

    Args:
        run: The run.
        number: Number of photos to time on, evenly spread over the validation photos.
        device: Device of the detectors in PyTorch. None is the GPU if there is one.
    """
    validation = run.photos()
    photos = [photo.path for photo in validation.spread(number)]
    rows = []
    for name, detector in run.detectors(device).items():
        count = sum(parameter.numel() for parameter in detector.model.parameters())
        ap = validation.figures(detector)['AP']
        rows.append(Measured(TITLES[name], count, count_flops(detector, photos[0]), _time(detector, photos), ap))
    return [*rows, *_exported(run, photos)]


def count_flops(detector: Detector, photo: Path) -> float | None:
    """Return the multiply-adds of a detector's networks for a photo, as MMEngine counts them; None if it cannot.

    Operations that it has no rule for, such as RoIAlign and NMS, are not counted.
    """
    data = detector.prepare(photo)
    model: Any = copy.deepcopy(detector.model)
    batch = model.data_preprocessor(dict(inputs=[data['inputs']], data_samples=[data['data_samples']]), False)
    model.forward = partial(model.forward, data_samples=batch['data_samples'])
    quiet = io.StringIO()
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # about every operation that is not counted
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), torch.no_grad():
            found = get_model_complexity_info(model, None, inputs=(batch['inputs'],), show_table=False, show_arch=False)
    except (RuntimeError, TypeError, AttributeError, ValueError):  # the tracer fails on operations of some detectors
        return None
    finally:
        logging.disable(before)
    return float(found['flops'])


def _exported(run: FinishedRun, photos: list[Path]) -> list[Measured]:
    rows = []
    for folder in dict.fromkeys((run.folder, run.distilled)):
        figures: Mapping[str, Mapping[str, float | None]] = read_record(folder).get('figures', {})
        for name, title in _EXPORTED.items():
            path = folder / FOLDER / name
            if path.is_file():
                threads = torch.get_num_threads()
                detector = OnnxDetector(path, threads)
                rows.append(Measured(title, None, None, _time(detector, photos), figures.get(name, {}).get('AP'), True))
    return rows


def _time(detector: CallableDetector, photos: list[Path]) -> float:
    turn = itertools.cycle(photos)
    return 1e3 * median_seconds(lambda: detector(next(turn)), len(photos))

"""Export of a detector to an ONNX file with post-processing inside."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

from eakd_det.errors import ConfigError
from eakd_det.export.detector import Detector, preparation
from eakd_det.export.graph import Graph
from eakd_det.export.one_stage import DECODERS, OneStageHead
from eakd_det.export.resizing import Resizing
from eakd_det.export.two_stage import TwoStageHead
from eakd_det.files import write_atomically
from eakd_det.version import __version__

OPSET = 17
INPUT, OUTPUTS = 'image', ('boxes', 'scores', 'labels')
_SIDE = 256  # of the example that is traced; the file takes any size


def require(package: str) -> Any:
    """Import a package of the extra ``[onnx]``.

    Raises:
        ConfigError: If it is not installed; the message has the command.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition('.')[0]
        raise ConfigError(f"export: expected {name}, but it is not installed: pip install 'eakd-det[onnx]'") from error


def export_onnx(detector: Detector, path: str | Path, score: float | None = None) -> Path:
    """Write ``detector`` to an ONNX file.

    The graph takes a resized photo of any size, ``image`` ``(1, 3, height, width)`` uint8 in RGB, and returns ``boxes``
    ``(N, 4)`` in its pixels, ``scores`` and ``labels``: normalisation, padding, the score threshold and NMS are inside.
    Class names and the resizing are in the file's metadata (``classes``, ``resizing``), as JSON.

    Args:
        detector: What to export: Faster R-CNN, GFL, RetinaNet or RTMDet.
        path: File to write.
        score: Smallest score of a detection. None is that of the config's ``test_cfg``.

    Raises:
        ConfigError: If this detector cannot be exported, or onnx is not installed.
    """
    onnx = require('onnx')
    resizing = Resizing.of(preparation(detector.cfg))
    device = next(detector.model.parameters()).device
    graph = build_graph(detector.model.cpu(), score).eval()
    try:
        model = _trace(onnx, graph)
    finally:
        detector.model.to(device)
    for key, value in dict(
        classes=json.dumps(detector.classes), resizing=resizing.to_json(), eakd_det=__version__
    ).items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    write_atomically(path, model.SerializeToString())
    return Path(path)


def build_graph(model: Any, score: float | None = None) -> Graph:
    """Return the detector with its post-processing as one module.

    Raises:
        ConfigError: If it is a detector that cannot be exported.
    """
    kind = type(getattr(model, 'bbox_head', None)).__name__
    if getattr(model, 'roi_head', None) is not None:
        return Graph(model, TwoStageHead(model, score))
    if kind in DECODERS:
        return Graph(model, OneStageHead(model, score))
    known = ', '.join(['StandardRoIHead of a Faster R-CNN', *DECODERS])
    raise ConfigError(
        f'export: expected a detector with one of these heads: {known}; but got {type(model).__name__} with {kind}'
    )


def _trace(onnx: Any, graph: Graph) -> Any:
    example = torch.randint(0, 256, (1, 3, _SIDE, _SIDE + 32), dtype=torch.uint8)
    axes: dict[str, dict[int, str]] = {INPUT: {2: 'height', 3: 'width'}, **{name: {0: 'found'} for name in OUTPUTS}}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # the tracer's, about sizes that it does keep as variables
        path = os.path.join(folder, 'model.onnx')
        # The exporter of torch.export cannot express sizes that depend on data, such as the number of proposals.
        names: dict[str, Any] = dict(input_names=[INPUT], output_names=list(OUTPUTS), dynamic_axes=axes)
        # In its own mode, evaluation, it would fold BatchNorm into convolutions, wrongly where several share one
        # (RTMDet).
        names['training'] = torch.onnx.TrainingMode.PRESERVE
        try:
            torch.onnx.export(
                graph, (example,), path, opset_version=OPSET, dynamo=False, autograd_inlining=False, **names
            )
        except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
            reason = ' '.join(str(error).split())[:200]
            raise ConfigError(f'export: this detector has an operation that ONNX lacks ({reason})') from error
        return onnx.load(path)

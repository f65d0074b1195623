"""8-bit integers for the convolutions and linear layers of an exported detector, by onnxruntime's quantiser."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.export.images import read_bgr
from eakd_det.export.onnx_detector import OnnxDetector
from eakd_det.export.onnx_file import INPUT, require
from eakd_det.files import write_atomically

LAYERS = ('Conv', 'Gemm', 'MatMul')


def quantize_int8(source: str | Path, path: str | Path, photos: Sequence[Path]) -> Path:
    """Write an exported detector with weights and activations of its layers in 8 bits.

    Post-processing stays in floating point. Weights have a scale for each output channel; activations have the range
    that they take on ``photos`` (static quantisation in QDQ format).

    Args:
        source: A file of :func:`export_onnx`.
        path: File to write.
        photos: Photos like those that the detector will see, such as training photos; some dozens suffice.

    Raises:
        ConfigError: If there are no photos, or onnxruntime is not installed.
    """
    quantization = require('onnxruntime.quantization')
    preprocessing = require('onnxruntime.quantization.shape_inference')
    if not photos:
        raise ConfigError('photos: expected some photos to measure the range of activations, but got none')
    detector = OnnxDetector(source)
    inputs: Iterator[dict[str, Any]] = (
        {INPUT: detector.tensor(detector.resizing(read_bgr(photo))[0])} for photo in photos
    )

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined]
        def get_next(self) -> dict[str, Any] | None:
            return next(inputs, None)

    with tempfile.TemporaryDirectory() as folder:
        prepared, written = Path(folder) / 'prepared.onnx', Path(folder) / 'int8.onnx'
        before = logging.root.level
        try:
            preprocessing.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(prepared),
                str(written),
                Reader(),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(LAYERS),
                per_channel=True,
                activation_type=quantization.QuantType.QInt8,
                weight_type=quantization.QuantType.QInt8,
            )
        finally:
            logging.root.setLevel(before)
        write_atomically(path, _with_metadata(source, written))
    return Path(path)


def _with_metadata(source: str | Path, written: Path) -> bytes:
    """Return the content of ``written`` with the metadata of ``source``, which the quantiser drops."""
    onnx = require('onnx')
    model = onnx.load(str(written))
    known = {entry.key for entry in model.metadata_props}
    for entry in onnx.load(str(source)).metadata_props:
        if entry.key not in known:
            model.metadata_props.add(key=entry.key, value=entry.value)
    content: bytes = model.SerializeToString()
    return content

"""The command line of ``eakd-export``: a trained detector as an ONNX file and in 8 bits, checked on photos."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eakd_det.cli.failures import run_tool
from eakd_det.errors import ConfigError
from eakd_det.evaluation import format_table
from eakd_det.export import Detector, OnnxDetector, export_onnx
from eakd_det.export.detector import CallableDetector
from eakd_det.export.int8 import quantize_int8
from eakd_det.export.parity import compare_detectors
from eakd_det.export.validation import CocoPhotos
from eakd_det.files import write_json

FOLDER, FLOAT, INT8, RECORD = 'export', 'model.onnx', 'model_int8.onnx', 'export.json'


def main(argv: Sequence[str] | None = None) -> int:
    """Export and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_arguments(argv)
    return run_tool(lambda: export(args))


def export(args: argparse.Namespace) -> Path:
    """Export a run, compare the file with the detector on photos, measure AP of each, and return the folder of the
    files.

    Raises:
        ConfigError: If the detector cannot be exported, or the exported one does not agree with it.
    """
    detector = Detector.load(args.run, 'cpu')
    folder = Path(args.out) if args.out else Path(args.run) / FOLDER
    path = export_onnx(detector, folder / FLOAT, args.score)
    print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')
    exported = OnnxDetector(path)
    photos = CocoPhotos.of(detector.cfg, detector.classes)
    threshold = max(0.05, args.score or 0.0)
    parity = compare_detectors(detector, exported, [photo.path for photo in photos.spread(args.photos)], threshold)
    print(f'PyTorch and onnxruntime: {parity}')
    record: dict[str, Any] = dict(parity=asdict(parity), figures={})
    forms: list[tuple[str, CallableDetector]] = [('pytorch', detector), (FLOAT, exported)]
    if args.int8:
        training = CocoPhotos.of(detector.cfg, detector.classes, 'train_dataloader')
        small = quantize_int8(path, folder / INT8, [photo.path for photo in training.spread(args.calibration)])
        print(f'{small}: {small.stat().st_size / 1e6:.1f} MB')
        forms.append((INT8, OnnxDetector(small)))
    if args.evaluate:
        record['figures'] = {name: photos.figures(form, _progress(name)) for name, form in forms}
        print(format_table(list(record['figures'].items()), ('AP', 'AP50', 'AP75')))
    write_json(folder / RECORD, record)
    if not parity.holds:
        raise ConfigError(f'export: the exported detector does not agree with PyTorch: {parity}')
    return folder


def read_record(run: Path) -> dict[str, Any]:
    """Return the record of an earlier export of a run; empty if there is none."""
    path = run / FOLDER / RECORD
    content: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return content


def _progress(name: str) -> Any:
    def show(done: int, every: int) -> None:
        if sys.stdout.isatty():
            print(f'\r{name}: {done}/{every}', end='\n' if done == every else '', flush=True)

    return show


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments.

    Example:
        >>> parse_arguments(['work_dirs/distill/my_data', '--no-int8']).int8
        False
    """
    parser = argparse.ArgumentParser(
        prog='eakd-export',
        description='Write the detector of a run as ONNX with its post-processing inside, and in 8-bit integers; '
        'compare detections and AP. Needs the extra [onnx].',
    )
    parser.add_argument('run', help='folder of eakd-distill, or a work folder with student.py and student.pth')
    parser.add_argument('--out', help='folder of the files; default: <run>/export')
    parser.add_argument(
        '--score', type=float, help="smallest score of a detection; default: that of the config's test_cfg"
    )
    parser.add_argument('--int8', action=argparse.BooleanOptionalAction, default=True, help='write the 8-bit file, too')
    parser.add_argument('--photos', type=int, default=20, help='validation photos to compare on; default: %(default)s')
    parser.add_argument(
        '--calibration', type=int, default=64, help='training photos to measure activations on; default: %(default)s'
    )
    parser.add_argument(
        '--evaluate', action=argparse.BooleanOptionalAction, default=True, help='measure AP on all validation photos'
    )
    return parser.parse_args(argv)

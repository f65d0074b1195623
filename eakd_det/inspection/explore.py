"""The command line of ``eakd-explore``: a page to look inside a run, in one file that needs no server."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eakd_det.cli.failures import run_tool
from eakd_det.errors import ConfigError
from eakd_det.export import Detections, Detector
from eakd_det.export.images import read_bgr
from eakd_det.export.validation import Photo
from eakd_det.files import write_atomically
from eakd_det.inspection.arguments import run_parser
from eakd_det.inspection.curves import read_curves
from eakd_det.inspection.picture import TITLES
from eakd_det.inspection.runs import FinishedRun
from eakd_det.inspection.sites import SiteWeigher

PAGE, TEMPLATE = 'explore.html', Path(__file__).parent / 'page.html'
_SIDE = 720  # longest side of a photo in the page, in pixels
_LOWEST_SCORE = 0.05


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_arguments(argv)
    return run_tool(lambda: explore(args))


def explore(args: argparse.Namespace) -> Path:
    """Write the page of a run and return its path.

    Raises:
        ConfigError: If the folder has no finished distillation, or its data is not there any more.
    """
    run = FinishedRun.find(args.run, args.student)
    path = Path(args.out) if args.out else run.folder / PAGE
    write_page(path, page_content(run, args.photos, args.sites))
    print(f'{path}: open it in a browser')
    return path


def page_content(run: FinishedRun, number: int = 8, sites: int = 12) -> dict[str, Any]:
    """Return what the page shows: photos with objects, detections and sites; figures; curves.

    Args:
        run: The run.
        number: Number of photos, evenly spread over the validation photos with objects.
        sites: Number of heaviest and of lightest sites of each photo; 0 leaves them out.
    """
    photos = run.photos()
    detectors = run.detectors('cpu')
    weigher, remark = _weigher(run) if sites else (None, '')
    folders = dict(teacher=_teacher_folder(run), student=run.plain, distilled=run.distilled)
    return dict(
        title=run.folder.resolve().name,
        classes=list(photos.classes),
        detectors={name: TITLES[name] for name in detectors},
        figures=run.figures(),
        remark=remark,
        photos=[_photo(photo, detectors, weigher, sites) for photo in photos.spread(number)],
        curves={TITLES[name]: read_curves(folder) for name, folder in folders.items() if folder is not None},
    )


def write_page(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as one HTML file; text in it cannot end the script it is in."""
    data = json.dumps(content, separators=(',', ':')).replace('<', '\\u003c')
    write_atomically(path, TEMPLATE.read_text(encoding='utf-8').replace('"%DATA%"', data, 1).encode())


def _weigher(run: FinishedRun) -> tuple[SiteWeigher | None, str]:
    try:
        return SiteWeigher(run), ''
    except ConfigError as error:
        return None, f'The sites are not shown: {error}'


def _teacher_folder(run: FinishedRun) -> Path | None:
    checkpoint = str(run.cfg.model.get('teacher_ckpt') or '')
    return Path(checkpoint).parent if checkpoint and '://' not in checkpoint else None


def _photo(photo: Photo, detectors: Mapping[str, Detector], weigher: SiteWeigher | None, sites: int) -> dict[str, Any]:
    image = read_bgr(photo.path)
    weighed = weigher.weigh(detectors['distilled'], photo, sites) if weigher else []
    return dict(
        name=photo.path.name,
        width=image.shape[1],
        height=image.shape[0],
        image=_data_url(image),
        truth=[[*_rounded(box), int(label)] for box, label in zip(photo.boxes, photo.labels, strict=True)],
        found={name: _found(detector(photo.path)) for name, detector in detectors.items()},
        sites=[{**asdict(site), 'box': _rounded(site.box)} for site in weighed],
    )


def _found(detections: Detections) -> list[list[float]]:
    found = detections.above(_LOWEST_SCORE)
    rows = zip(found.boxes, found.labels, found.scores, strict=True)
    return [[*_rounded(box), int(label), round(float(score), 3)] for box, label, score in rows]


def _rounded(box: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 1) for value in box]


def _data_url(image: np.ndarray) -> str:
    scale = min(1.0, _SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    encoded = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    return f'data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}'


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments.

    Example:
        >>> parse_arguments(['work_dirs/distill/my_data']).photos
        8
    """
    parser = run_parser(
        'eakd-explore',
        'Write a page with validation photos, what each detector finds, the sites with the largest and smallest '
        'weights, and the training curves: one HTML file that needs no server.',
        photos=8,
        photos_help='number of validation photos',
    )
    parser.add_argument('--out', help='file to write; default: <run>/explore.html')
    parser.add_argument(
        '--sites', type=int, default=12, help='heaviest and lightest sites of a photo; default: %(default)s'
    )
    return parser.parse_args(argv)

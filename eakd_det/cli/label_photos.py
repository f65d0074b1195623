"""Let a teacher label photos: what ``tools/label_photos.py`` runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import mmcv
from mmdet.apis import inference_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar
from torch import nn

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file, load_detector_weights
from eakd_det.cli.arguments import parse_label_arguments
from eakd_det.cli.config import load_config
from eakd_det.cli.data_checks import class_names, local_coco_datasets
from eakd_det.cli.detectors import Side, detector_config, is_distillation
from eakd_det.cli.failures import run_tool
from eakd_det.cli.photos import choose_photos
from eakd_det.cli.translation import config_errors
from eakd_det.datasets import apply_data_options
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.datasets.teacher_labels import PhotoDetections, coco_content, matching_thresholds
from eakd_det.errors import ConfigError
from eakd_det.files import write_json
from eakd_det.teachers import require_same_classes
from eakd_det.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Label; returns the exit status: 0, or 1 after one line on stderr about what the user has to change."""
    args = parse_label_arguments(argv)
    return run_tool(lambda: label(args))


def label(args: argparse.Namespace) -> Path:
    """Label as the parsed arguments say, and return the annotation file.

    Detections are kept beside it as they come (``<out>.detections``). The same command continues there, and with
    another ``--score`` only writes the annotation file again.

    Raises:
        ConfigError: If the teacher, its classes or the photos cannot work, or photos to validate with are among them.
    """
    cfg = load_config(args)
    side: Side = 'teacher' if is_distillation(cfg.model) else 'student'
    source = args.checkpoint or cfg.model.get('teacher_ckpt')
    if not source:
        raise ConfigError(f"--checkpoint: expected the teacher's weights, but {cfg.filename} names none")
    checkpoint = load_checkpoint_file(source, 'checkpoint')
    cfg = apply_data_options(cfg, 'train')
    classes = _classes(cfg, checkpoint, source)
    folder = Path(args.photos)
    photos = choose_photos(cfg, folder)
    scope = DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet'))
    with config_errors(cfg), scope:
        model = MODELS.build(detector_config(cfg, side))
        load_detector_weights(model, checkpoint, 'checkpoint', source=source)
        model.cfg = cfg
        pipeline = sha256(repr(cfg.test_dataloader.dataset.pipeline).encode()).hexdigest()[:16]
        teacher = dict(checkpoint=Path(source).name, weights=_digest_of(model), pipeline=pipeline)
        model.to(get_device()).eval()
        found = _detect(model, folder, photos, Path(f'{args.out}.detections'), dict(teacher=teacher, classes=classes))
    thresholds = _thresholds(args.score, cfg, classes, found)
    info = dict(
        description='Labelled by a teacher, not by people',
        version=f'eakd_det {__version__}',
        teacher=teacher,
        rule='boxes as on labelled images' if args.score == 'auto' else 'one score for all classes',
        thresholds=dict(zip(classes, thresholds, strict=True)),
    )
    content = coco_content(found, classes, thresholds, info)
    write_json(args.out, content)
    _print_summary(content, thresholds, args.out, folder)
    return Path(args.out)


def _classes(cfg: Config, checkpoint: dict[str, Any], source: str) -> tuple[str, ...]:
    dataset = next((dataset for _, dataset in local_coco_datasets(cfg, 'train_dataloader')), None)
    classes = None if dataset is None else class_names(dataset)
    known = checkpoint_classes(checkpoint)
    if classes is None and known is None:
        raise ConfigError('classes: expected the names of the classes, but neither config nor checkpoint has them')
    if classes is not None and known is not None:
        require_same_classes(classes, 'train_dataloader.dataset', known, f'checkpoint: {source}')
    return tuple(classes or known or ())


def _digest_of(model: nn.Module) -> str:
    digest = sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _detect(
    model: nn.Module, folder: Path, photos: list[Path], path: Path, origin: dict[str, Any]
) -> list[PhotoDetections]:
    """Run the teacher on the photos that ``path`` has no detections of; append them as they come."""
    head = json.dumps(origin)
    done = _read_detections(path, head)
    names = [photo.relative_to(folder).as_posix() for photo in photos]
    left = [name for name in names if name not in done]
    if len(left) < len(names):
        print(f'{len(names) - len(left)} photos were labelled before')
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [head, *(json.dumps(dataclasses.asdict(each)) for each in done.values())]
    path.write_text('\n'.join(lines) + '\n')
    unreadable = []
    progress = ProgressBar(len(left)) if left else None
    with path.open('a') as file:
        for name in left:
            detections = _detect_one(model, folder, name)
            if detections is None:
                unreadable.append(name)
            else:
                done[name] = detections
                file.write(json.dumps(dataclasses.asdict(detections)) + '\n')
                file.flush()
            if progress is not None:
                progress.update()
    print()
    if unreadable:
        print(f'{len(unreadable)} photos cannot be read and are left out; the first is {folder / unreadable[0]}')
    return [done[name] for name in names if name in done]


def _read_detections(path: Path, head: str) -> dict[str, PhotoDetections]:
    """Read what was found before by the same teacher; a line that a killed process left unfinished is dropped."""
    lines = path.read_text().split('\n') if path.is_file() else []
    if not lines or lines[0] != head:
        return {}
    found = [PhotoDetections(**json.loads(line)) for line in lines[1:-1]]
    return {detections.file_name: detections for detections in found}


def _detect_one(model: nn.Module, folder: Path, name: str) -> PhotoDetections | None:
    try:
        sample = inference_detector(model, os.fspath(folder / name))
    except AssertionError:
        if mmcv.imread(folder / name) is None:
            return None
        raise
    instances = sample.pred_instances
    corners = instances.bboxes.cpu().double()
    boxes = [[round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)] for x1, y1, x2, y2 in corners.tolist()]
    scores = [round(score, 4) for score in instances.scores.tolist()]
    height, width = sample.ori_shape
    return PhotoDetections(name, width, height, boxes, instances.labels.tolist(), scores)


def _thresholds(score: float | str, cfg: Config, classes: Sequence[str], found: list[PhotoDetections]) -> list[float]:
    if score != 'auto':
        return [float(score)] * len(classes)
    _, dataset = next(local_coco_datasets(cfg, 'train_dataloader'))
    summary = read_annotation_summary(Path(dataset.get('data_root') or '') / str(dataset.get('ann_file')))
    return matching_thresholds(found, [summary.counts.get(name, 0) / len(summary.file_names) for name in classes])


def _print_summary(content: dict[str, Any], thresholds: Sequence[float], out: str, folder: Path) -> None:
    photos = len(content['images'])
    empty = photos - len({item['image_id'] for item in content['annotations']})
    width = max(len(each['name']) for each in content['categories'])
    for category, threshold in zip(content['categories'], thresholds, strict=True):
        count = sum(item['category_id'] == category['id'] for item in content['annotations'])
        print(
            f'  {category["name"]:{width}}  {count:7} boxes at {threshold:.2f} or above, {count / photos:.2f} a photo'
        )
    print(f'{out}: {photos} photos, {empty} of them without a box')
    print(f'To train on them as well: --cfg-options teacher_labels={out} teacher_images={folder}')

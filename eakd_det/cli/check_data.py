"""Check and draw the data of a config before training: ``tools/check_data.py``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from mmengine.config import Config

from eakd_det.cli.arguments import parse_check_arguments
from eakd_det.cli.config import load_config
from eakd_det.cli.failures import run_tool
from eakd_det.datasets import apply_data_options
from eakd_det.datasets.annotations import check_coco_annotations, remarks_on_use
from eakd_det.datasets.coco_file import AnnotationSummary
from eakd_det.datasets.dataset_configs import (
    annotation_path,
    class_names,
    follows_exif,
    image_folder,
    local_coco_datasets,
)
from eakd_det.datasets.image_files import check_images, describe_faults, spread_sample
from eakd_det.datasets.image_scale import remark_on_size
from eakd_det.errors import ConfigError
from eakd_det.plurals import counted
from eakd_det.visualization.annotated import draw_annotated

PICTURE = 'data_check.jpg'
_LOADERS = ('train_dataloader', 'val_dataloader')


def main(argv: Sequence[str] | None = None) -> int:
    """Check the data and return the exit status: 0, or 1 if it is unfit for training."""
    args = parse_check_arguments(argv)
    return run_tool(lambda: check(args))


def check(args: argparse.Namespace) -> None:
    """Open the images of training and validation data, print what was found, and draw some of them with their boxes.

    Raises:
        ConfigError: If a finding would spoil training; all findings are printed first.
    """
    cfg = apply_data_options(load_config(args), 'train')
    fatal: list[str] = []
    contents: dict[str, dict[Path, str]] = {}
    for loader in _LOADERS:
        contents[loader] = {}
        for key, dataset in local_coco_datasets(cfg, loader):
            try:
                summary = check_coco_annotations(annotation_path(dataset), class_names(dataset), f'{key}.ann_file')
            except ConfigError as error:
                print(error)
                fatal.append(str(error))
                continue
            sizes = _sizes(dataset, summary, args.images)
            _print_counts(key, dataset, summary)
            fatal += _print_findings(key, dataset, summary, sizes)
            contents[loader] |= {path: sha256(path.read_bytes()).hexdigest() for path in sizes if path.is_file()}
    _print_overlap(contents)
    path = Path(cfg.work_dir) / PICTURE
    _draw(cfg, path)
    print(f'\n{path}: check that the boxes are on the objects')
    if fatal:
        raise ConfigError(f'{len(fatal)} of the findings above would spoil training; the first: {fatal[0]}')


def _sizes(dataset: dict[str, Any], summary: AnnotationSummary, number: int | None) -> dict[Path, tuple[int, int]]:
    folder = image_folder(dataset)
    sizes = {folder / name: size for name, size in zip(summary.file_names, summary.sizes, strict=True)}
    return {path: sizes[path] for path in spread_sample(sizes, number or len(sizes))}


def _print_counts(key: str, dataset: dict[str, Any], summary: AnnotationSummary) -> None:
    images, boxes = counted(len(summary.file_names), 'image'), counted(summary.num_annotations, 'box')
    print(f'\n{key}: {annotation_path(dataset)}, {images}, {boxes}')
    classes = set(class_names(dataset) or summary.categories)
    width = max(map(len, ('category', *summary.categories)))
    print(f'  {"category":{width}}    boxes   images')
    for name, count in summary.counts.items():
        with_boxes = sum(name in names for names in summary.used)
        print(f'  {name:{width}}  {count:7}  {with_boxes:7}{"" if name in classes else "  not a class"}')


def _print_findings(
    key: str, dataset: dict[str, Any], summary: AnnotationSummary, sizes: dict[Path, tuple[int, int]]
) -> list[str]:
    fatal = []
    for found in check_images(sizes, follows_exif(dataset)).values():
        line = f'{key}: {describe_faults(found, len(sizes))}'
        fatal += [line] if found[0][1].is_fatal else []
        print(f'  {line}')
    remarks = *summary.remarks, *remarks_on_use(summary, class_names(dataset)), *remark_on_size(summary, dataset)
    for remark in remarks:
        print(f'  {key}: {annotation_path(dataset)} {remark}')
    print(f'  {counted(len(sizes), "image")} opened')
    return fatal


def _print_overlap(contents: dict[str, dict[Path, str]]) -> None:
    training, measured = (contents[loader] for loader in _LOADERS)
    trained = {digest: path for path, digest in training.items()}
    shared = sorted(path for path, digest in measured.items() if digest in trained)
    if shared:
        first = shared[0]
        print(
            f'\n{len(shared)} of {len(measured)} validation images are also training images, by content; '
            f'the first is {first} ({trained[measured[first]]})'
        )


def _draw(cfg: Config, path: Path) -> None:
    sets = list(_drawable(cfg))
    each = max(12 // max(len(sets), 1), 1)
    os.makedirs(path.parent, exist_ok=True)
    draw_annotated([(annotations, folder, exif) for annotations, folder, exif in sets], each, path)


def _drawable(cfg: Config) -> Iterator[tuple[Path, Path, bool]]:
    for loader in _LOADERS:
        for _, dataset in local_coco_datasets(cfg, loader):
            yield annotation_path(dataset), image_folder(dataset), follows_exif(dataset)

"""Data that would train without an error, and be wrong."""

from __future__ import annotations

import json
import shutil
from typing import Any

import cv2
import pytest
from PIL import Image

from eakd_det.cli import check_data as tool
from eakd_det.datasets import annotations
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error


def edit(workspace: Workspace, split: str, change: Any) -> None:
    content = tiny_data.read_annotations(workspace.data, split)
    change(content)
    tiny_data.write_annotations(workspace.data, split, content)


def swap(content: dict[str, Any]) -> None:
    for image in content['images']:
        image.update(width=image['height'], height=image['width'])


def to_corners(content: dict[str, Any]) -> None:
    for annotation in content['annotations']:
        x, y, width, height = annotation['bbox']
        annotation['bbox'] = [x, y, x + width, y + height]


def far_right(content: dict[str, Any]) -> None:
    for annotation in content['annotations']:
        annotation['bbox'][:2] = [45, 30]
    to_corners(content)


def turn_by_exif(workspace: Workspace) -> None:
    for path in (workspace.data / 'train').iterdir():
        image = Image.open(path)
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(path, exif=exif)


def check(workspace: Workspace, *flags: str) -> int:
    config = workspace.write(tiny_data.student_config(workspace.data, iters=1))
    return tool.main([config, '--work-dir', str(workspace.work_dir), *flags])


def test_sound_data(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    assert check(workspace) == 0
    out = capsys.readouterr().out
    counts = json.dumps(tiny_data.read_annotations(workspace.data, 'train')).count('"image_id"')
    assert f'4 images, {counts} boxes' in out
    assert '4 images opened' in out
    picture = cv2.imread(str(workspace.work_dir / 'data_check.jpg'))
    assert picture.shape[1] == 1600
    assert picture.std() > 20


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda w: edit(w, 'train', swap), 'have width and height swapped in the annotation file'),
        (lambda w: edit(w, 'train', far_right), 'has boxes that look like [x1, y1, x2, y2]'),
        (turn_by_exif, 'are annotated as stored, but rotated by their EXIF orientation'),
        (lambda w: (w.data / 'train' / '3.png').write_bytes(b'<html>'), '1 of 4 images cannot be read'),
    ],
    ids=['swapped', 'corners', 'exif', 'html'],
)
def test_what_spoils_a_training_is_an_error_before_it(
    workspace: Workspace, capsys: pytest.CaptureFixture, spoil: Any, message: str
) -> None:
    spoil(workspace)
    assert check(workspace) == 1
    assert message in one_error(capsys.readouterr())
    assert workspace.train(workspace.write(tiny_data.student_config(workspace.data, iters=1))) == 1
    assert message in one_error(capsys.readouterr())
    assert not list(workspace.work_dir.glob('iter_*.pth'))


def test_what_may_be_a_mistake_is_a_warning(
    workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, '_logged', set())

    def keep_one_image(content: dict[str, Any]) -> None:
        content['annotations'] = [item for item in content['annotations'] if item['image_id'] == 1]
        content['categories'].append(dict(id=9, name='star'))
        content['annotations'].append(dict(content['annotations'][0], id=99, category_id=9))

    edit(workspace, 'train', keep_one_image)
    for name in ('2.png', '3.png'):
        shutil.copy(workspace.data / 'train' / '1.png', workspace.data / 'val' / name)
    wanted = ["not among the classes: 'star'; 1 of 3 boxes", 'has no box of the classes in 3 of its 4 images']
    assert check(workspace) == 0
    out = capsys.readouterr().out
    for text in [*wanted, '2 of 3 validation images are also training images']:
        assert text in out

    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.val_dataloader.dataset.update(
        ann_file=cfg.train_dataloader.dataset.ann_file, data_prefix=cfg.train_dataloader.dataset.data_prefix
    )
    cfg.val_evaluator.ann_file = str(tiny_data.annotation_file(workspace.data, 'train'))
    assert workspace.train(workspace.write(cfg)) == 0
    captured = capsys.readouterr()
    for text in [*wanted, 'val_dataloader: 4 of 4 images are also in train_dataloader']:
        assert text in captured.out + captured.err

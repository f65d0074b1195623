"""COCO files at other places than docs/custom_data.md's."""

from __future__ import annotations

from pathlib import Path

import pytest

from eakd_det.datasets.coco_layouts import coco_options


def make(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text('{}')
    return root


COCO = ('annotations/instances_train2017.json', 'annotations/instances_val2017.json')


@pytest.mark.parametrize(
    ('files', 'train', 'val'),
    [
        (
            ('annotations/instances_train.json', 'train/a.jpg', 'annotations/instances_val.json', 'val/b.jpg'),
            ('annotations/instances_train.json', 'train/'),
            ('annotations/instances_val.json', 'val/'),
        ),
        (
            (*COCO, 'train2017/a.jpg', 'val2017/b.jpg'),
            (COCO[0], 'train2017/'),
            (COCO[1], 'val2017/'),
        ),
        ((*COCO, 'images/train2017/a.jpg', 'images/b.jpg'), (COCO[0], 'images/train2017/'), (COCO[1], 'images/')),
        (
            ('train/_annotations.coco.json', 'valid/_annotations.coco.json'),
            ('train/_annotations.coco.json', 'train/'),
            ('valid/_annotations.coco.json', 'valid/'),
        ),
    ],
    ids=['folders', 'COCO', 'images', 'Roboflow'],
)
def test_known_layouts(tmp_path, files, train, val):
    expected = dict(train_ann=train[0], train_images=train[1], val_ann=val[0], val_images=val[1])
    assert coco_options(make(tmp_path, *files)) == expected


def test_the_usual_places_and_unknown_ones_need_no_options(tmp_path):
    assert coco_options(make(tmp_path / 'usual', 'instances_train.json', *COCO, 'train2017/a.jpg')) == {}
    assert coco_options(make(tmp_path / 'other', 'labels.json')) == {}

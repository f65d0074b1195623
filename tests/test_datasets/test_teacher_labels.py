"""Thresholds and annotation files with hand-computed values, and the mixed training data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.datasets import apply_data_options
from eakd_det.datasets.teacher_labels import PhotoDetections, coco_content, matching_thresholds
from eakd_det.errors import ConfigError
from tests import tiny_data

BOX = [0.0, 0.0, 2.0, 3.0]


def photo(name: str, *scores: tuple[int, float]) -> PhotoDetections:
    return PhotoDetections(name, 80, 64, [BOX] * len(scores), [label for label, _ in scores], [s for _, s in scores])


def test_thresholds_give_as_many_boxes_as_labelled_images_have():
    photos = [photo('a', (0, 0.9), (0, 0.7), (1, 0.5)), photo('b', (0, 0.6), (1, 0.45), (1, 0.2))]
    assert matching_thresholds(photos, [1.0, 1.0]) == [0.7, 0.45]
    assert matching_thresholds(photos, [9.0, 0.0]) == [0.3, 0.9]  # the lower bound, and a class without labels


def test_the_file_has_confident_detections_and_empty_photos():
    content = coco_content([photo('a', (0, 0.9), (1, 0.5)), photo('b', (1, 0.4))], ('x', 'y'), (0.5, 0.45), {'by': 't'})
    assert [(item['image_id'], item['category_id'], item['score']) for item in content['annotations']] == [
        (1, 1, 0.9),
        (1, 2, 0.5),
    ]
    assert [image['file_name'] for image in content['images']] == ['a', 'b']
    with pytest.raises(ConfigError, match=r'--score.*at or above 0\.95.* 0\.90'):
        coco_content([photo('a', (0, 0.9))], ('x',), (0.95,), {})


@pytest.fixture
def options(tmp_path: Path) -> Config:
    data = tiny_data.make_coco(tmp_path / 'data', train=2)
    photos = tiny_data.make_coco(tmp_path / 'more', train=6)
    cfg = tiny_data.student_config(data)
    cfg.teacher_labels, cfg.teacher_images = str(tiny_data.annotation_file(photos, 'train')), str(photos / 'train')
    return cfg


@pytest.mark.parametrize(('share', 'times'), [(None, 1), (0.5, 3), (0.9, 1)])
def test_mixing(options: Config, share: float | None, times: int):
    options.teacher_share = share
    dataset = apply_data_options(options).train_dataloader.dataset
    labelled, photos = dataset.datasets
    assert dataset.type == 'ConcatDataset'
    assert labelled.get('times', 1) == times
    assert photos.ann_file == options.teacher_labels
    assert photos.pipeline == options.train_dataloader.dataset.pipeline
    assert apply_data_options(options, 'test').train_dataloader == options.train_dataloader


@pytest.mark.parametrize('share', [None, 0.5])
def test_options_of_a_saved_config_are_applied_again(options: Config, share: float | None):
    options.teacher_share, options.train_images = share, 'train/'
    options.train_ann = options.train_dataloader.dataset.ann_file
    options.data_root = options.train_dataloader.dataset.data_root
    once = apply_data_options(options)
    assert apply_data_options(Config(once.to_dict())).train_dataloader == once.train_dataloader


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(teacher_labels='nowhere.json'), 'teacher_labels: expected a file'),
        (dict(teacher_images='nowhere'), 'teacher_images: expected the folder'),
        (dict(teacher_share=1.5), 'teacher_share: expected a number above 0 and below 1'),
        (dict(teacher_labels=None), 'teacher_images: expected teacher_labels to be set'),
    ],
)
def test_wrong_options(options: Config, changes: dict, message: str):
    options.merge_from_dict(changes)
    with pytest.raises(ConfigError, match=message):
        apply_data_options(options)


def test_other_classes_are_an_error(options: Config):
    path = Path(options.teacher_labels)
    content = json.loads(path.read_text())
    content['categories'][0]['name'] = 'another'
    path.write_text(json.dumps(content))
    options.classes = tiny_data.CLASSES
    with pytest.raises(ConfigError, match='square'):
        apply_data_options(options)

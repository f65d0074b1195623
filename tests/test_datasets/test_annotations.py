from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eakd_det.datasets import coco_file
from eakd_det.datasets.annotations import check_coco_annotations
from eakd_det.errors import ConfigError

CLASSES = ('cat', 'dog', 'owl')
GOOD = dict(
    images=[dict(id=i, file_name=f'{i}.png', width=64, height=48) for i in (1, 2)],
    annotations=[
        dict(id=10 * i + c, image_id=i, category_id=c, bbox=[1.0, 2.0, 10.0, 12.5], area=125.0, iscrowd=0)
        for i in (1, 2)
        for c in (1, 2, 3)
    ],
    categories=[dict(id=i + 1, name=name) for i, name in enumerate(CLASSES)],
)


def write(folder: Path, data: Any) -> Path:
    path = folder / 'instances.json'
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def changed(change: Callable[[dict], Any]) -> dict:
    data = copy.deepcopy(GOOD)
    change(data)
    return data


def test_summary_of_a_valid_file(tmp_path: Path) -> None:
    summary = check_coco_annotations(write(tmp_path, GOOD), CLASSES, 'key', 'evaluate')

    assert summary.file_names == ('1.png', '2.png')
    assert summary.counts == {'cat': 2, 'dog': 2, 'owl': 2}
    assert summary.num_annotations == 6
    assert summary.categories == CLASSES


def test_a_subset_of_the_categories_in_file_order_is_accepted(tmp_path: Path) -> None:
    check_coco_annotations(write(tmp_path, GOOD), ['cat', 'owl'], 'key')


FAULTS: dict[str, tuple[Any, str]] = {
    'empty file': ('', 'is empty'),
    'truncated': (json.dumps(GOOD)[:-40], 'not valid JSON, or is truncated'),
    'not text': ('\x00\x01', 'not valid JSON'),
    'a list': ([1, 2], 'is not a COCO annotation file.*a list'),
    'other keys': (dict(shapes=[], version=5), "not a COCO annotation file.*'shapes', 'version'"),
    'images no list': (changed(lambda d: d.update(images={})), 'expected a list of images, but got a dict'),
    'no images': (changed(lambda d: d.update(images=[])), 'has no images'),
    'no annotations': (changed(lambda d: d.update(annotations=[])), 'has no annotations'),
    'annotations left out': (
        changed(lambda d: d.pop('annotations')),
        'expected a list of annotations, but got nothing',
    ),
    'no categories': (changed(lambda d: d.update(categories=[])), 'has no categories'),
    'a record is no dict': (changed(lambda d: d['images'].append(7)), 'has an int among its images'),
    'image without name': (changed(lambda d: d['images'][1].pop('file_name')), "no 'file_name' in the entry with id 2"),
    'image without size': (changed(lambda d: d['images'][1].pop('height')), "no 'height' in the entry with id 2"),
    'image of no width': (changed(lambda d: d['images'][1].update(width=0)), r'\(0, 48\) for image 2'),
    'empty name': (changed(lambda d: d['images'][1].update(file_name='')), "file_name '' for image 2"),
    'same image id': (changed(lambda d: d['images'][1].update(id=1)), 'image ids that are not unique: 1 occurs'),
    'same category id': (changed(lambda d: d['categories'][1].update(id=1)), 'category ids that are not unique: 1'),
    'same category': (changed(lambda d: d['categories'][1].update(name='cat')), "category names.*not unique: 'cat'"),
    'ids that are lists': (changed(lambda d: d['images'][1].update(id=[1])), 'neither integers nor strings'),
    'same annotation id': (changed(lambda d: d['annotations'][3].update(id=11)), 'annotation ids.*not unique: 11'),
    'no bbox': (changed(lambda d: d['annotations'][3].pop('bbox')), "no 'bbox' in the entry with id 21"),
    'no area': (changed(lambda d: d['annotations'][3].pop('area')), "no 'area' in the entry with id 21"),
    'no iscrowd': (
        changed(lambda d: [a.pop('iscrowd') for a in d['annotations']]),
        r"no 'iscrowd'.*id 11.*6 in total",
    ),
    'unknown image': (changed(lambda d: d['annotations'][3].update(image_id=9)), '21 of image 9, which it lacks'),
    'unknown category': (
        changed(lambda d: d['annotations'][3].update(category_id=0)),
        '21 of category 0, which it lacks',
    ),
    'negative box': (
        changed(lambda d: d['annotations'][3].update(bbox=[1, 1, -5, 5])),
        r'\[1, 1, -5, 5\] for annotation 21',
    ),
    'three numbers': (changed(lambda d: d['annotations'][3].update(bbox=[1, 1, 5])), r'\[1, 1, 5\] for annotation 21'),
    'NaN box': (changed(lambda d: d['annotations'][3].update(bbox=[1, 1, float('nan'), 5])), 'nan.* for annotation 21'),
    'NaN area': (changed(lambda d: d['annotations'][3].update(area=float('nan'))), 'area nan for annotation 21'),
    'two offenders': (changed(lambda d: [a.update(bbox=[]) for a in d['annotations'][:2]]), r'\(2 in total\)'),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_fault_is_one_line_naming_key_and_file(tmp_path: Path, fault: str) -> None:
    data, message = FAULTS[fault]
    path = write(tmp_path, data)

    with pytest.raises(ConfigError, match=message) as caught:
        check_coco_annotations(path, CLASSES, 'val_evaluator.ann_file', 'evaluate')

    assert str(caught.value).startswith('val_evaluator.ann_file: ')
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_missing_relative_path_names_the_folder(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r'key: .*data/a\.json does not exist \(relative to .*\)'):
        check_coco_annotations('data/a.json', CLASSES, 'key')
    with pytest.raises(ConfigError, match='is a folder'):
        check_coco_annotations(tmp_path, CLASSES, 'key')


def test_another_order_of_classes_is_an_error_with_the_right_order(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected classes=\('cat', 'dog', 'owl'\), but got \('dog', 'cat', 'owl'\)"):
        check_coco_annotations(write(tmp_path, GOOD), ('dog', 'cat', 'owl'), 'key')


def test_mmdetection_numbers_labels_in_file_order(tmp_path: Path) -> None:
    """The reason for the check above: the second of ``classes`` silently gets label 0."""
    from mmdet.datasets import CocoDataset

    dataset = CocoDataset(
        ann_file=str(write(tmp_path, GOOD)),
        metainfo=dict(classes=('dog', 'cat')),
        data_prefix=dict(img=''),
        pipeline=[],
    )
    assert dataset.cat2label == {1: 0, 2: 1}  # category 1 is the cat


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (('cat', 'fox'), "lacks classes of the config: 'fox' is not among its categories 'cat', 'dog', 'owl'"),
        ('cat', r"expected a list of names, but got 'cat'"),
        ((), 'expected a list of names'),
        ((0, 1), 'expected a list of names'),
        (('cat', 'cat'), "has 'cat' more than once"),
    ],
)
def test_classes_that_do_not_fit(tmp_path: Path, classes: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_coco_annotations(write(tmp_path, GOOD), classes, 'key')


def test_classes_that_never_occur(tmp_path: Path) -> None:
    data = changed(lambda d: d.update(annotations=[a for a in d['annotations'] if a['category_id'] == 1]))
    with pytest.raises(ConfigError, match=r"has 2 annotations, but none of the config's classes 'dog', 'owl'"):
        check_coco_annotations(write(tmp_path, data), ('dog', 'owl'), 'key')


def test_prediction_needs_no_annotations(tmp_path: Path) -> None:
    data = changed(lambda d: d.pop('annotations'))
    summary = check_coco_annotations(write(tmp_path, data), CLASSES, 'key', 'predict')
    assert (len(summary.file_names), summary.num_annotations) == (2, 0)


def test_training_needs_no_iscrowd(tmp_path: Path) -> None:
    data = changed(lambda d: [a.pop('iscrowd') for a in d['annotations']])
    check_coco_annotations(write(tmp_path, data), CLASSES, 'key', 'train')


def test_an_unchanged_file_is_read_once_and_a_changed_one_again(tmp_path: Path, monkeypatch: Any) -> None:
    reads = []
    parse = coco_file.read_coco_json
    monkeypatch.setattr(coco_file, 'read_coco_json', lambda path: (reads.append(path), parse(path))[1])
    path = write(tmp_path, GOOD)

    check_coco_annotations(path, None, 'a', 'predict')
    check_coco_annotations(path, CLASSES, 'b', 'evaluate')
    assert len(reads) == 1

    write(tmp_path, changed(lambda d: d.update(annotations=[])))
    with pytest.raises(ConfigError, match='has no annotations'):
        check_coco_annotations(path, CLASSES, 'b', 'evaluate')

"""COCO files with one fault: rejected, or read without a changed or lost label."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS, METRICS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from eakd_det.cli.data_checks import check_data
from tests import tiny_data
from tests.test_faults.fuzzing import Case

VALUES: tuple[Any, ...] = (
    None, True, 'text', '', '1', -1, 0, 1, 2, 2.5, 1e300, -1e300, 10**30, 10**400, math.nan, math.inf, -math.inf,
    [], [1, 2], [1, 2, 3, 4], ['1', '2', '3', '4'], [[1]], {}, {'id': 1}, '../1.png', '/1.png', '.', 'a\0b',
    'é' * 300 + '/x',
)  # fmt: skip
BOXES: tuple[Any, ...] = (
    [-20, -20, 10, 10], [10, 10, 0, 0], [10, 10, -5, 8], [10, 10, 0.2, 9], [10, 10, 8], [10, 10, 8, 8, 8],
    [1e9, 1, 5, 5],
    [math.nan] * 4, [0, 0, math.inf, 5], [-1e300, 0, 2e300, 5], [None] * 4, ['1', '2', '3', '4'], [True] * 4,
    [79.5, 63.5, 40, 40], [-5, -5, 200, 200],
)  # fmt: skip
FIELDS = {
    'images': ('id', 'file_name', 'width', 'height'),
    'annotations': ('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd', 'segmentation', 'ignore'),
    'categories': ('id', 'name', 'supercategory'),
}


class CocoBench:
    """A folder with images and a valid annotation file to mutate."""

    def __init__(self, root: Path) -> None:
        tiny_data.make_coco(root, train=4, val=1)
        self.root = root
        self.file = tiny_data.annotation_file(root, 'train')
        self.good = tiny_data.read_annotations(root, 'train')
        for annotation in self.good['annotations']:
            x, y, width, height = annotation['bbox']
            annotation['segmentation'] = [[x, y, x + width, y, x + width, y + height]]
        cfg = tiny_data.student_config(root)
        for loader in ('val_dataloader', 'test_dataloader'):
            cfg[loader].dataset.update(ann_file=cfg.train_dataloader.dataset.ann_file, data_prefix=dict(img='train/'))
        cfg.val_evaluator.ann_file = cfg.test_evaluator.ann_file = str(self.file)
        self.cfg: Config = cfg

    def attempt(self, content: bytes) -> None:
        """Check the file as the tools do; if it passes, read it with MMDetection and measure with pycocotools."""
        self.file.write_bytes(content)
        check_data(self.cfg, ('train_dataloader', 'val_dataloader'))
        data = json.loads(content)
        with DefaultScope.overwrite_default_scope('mmdet'):
            for loader in ('train_dataloader', 'val_dataloader'):
                dataset = DATASETS.build(copy.deepcopy(self.cfg[loader].dataset))
                _require_these_labels(dataset, data)
                for index in range(len(dataset)):
                    dataset[index]
            _require_full_marks(METRICS.build(copy.deepcopy(self.cfg.val_evaluator)), dataset, data)

    def case(self, name: str, content: Any, must_be_refused: bool = False) -> Case:
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        return Case(name, lambda: self.attempt(content), must_be_refused)

    def changed(self, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        data = copy.deepcopy(self.good)
        change(data)
        return data

    def cases(self, rng: random.Random) -> Iterator[Case]:
        """Yield mutations of values, structure and bytes."""
        yield from self._value_cases()
        yield from self._structure_cases()
        yield from self._byte_cases(rng)

    def _value_cases(self) -> Iterator[Case]:
        for part, fields in FIELDS.items():
            for value in VALUES:
                yield self.case(f'{part}={value!r}'[:80], self.changed(lambda d, p=part, v=value: d.update({p: v})))
                yield self.case(
                    f'{part}[0]={value!r}'[:80], self.changed(lambda d, p=part, v=value: d[p].__setitem__(0, v))
                )
            for field in fields:
                yield self.case(
                    f'{part} without {field}', self.changed(lambda d, p=part, f=field: d[p][0].pop(f, None))
                )
                for value in VALUES:
                    for where, name in ((slice(0, 1), 'one'), (slice(None), 'all')):

                        def put(d: dict, p: str = part, f: str = field, v: Any = value, w: slice = where) -> None:
                            for record in d[p][w]:
                                record[f] = v

                        yield self.case(f'{name} {part}.{field}={value!r}'[:80], self.changed(put))
        for box in BOXES:
            yield self.case(f'bbox={box!r}', self.changed(lambda d, b=box: d['annotations'][0].update(bbox=b)))
            yield self.case(
                f'every bbox={box!r}', self.changed(lambda d, b=box: [a.update(bbox=b) for a in d['annotations']])
            )

    def _structure_cases(self) -> Iterator[Case]:
        def number(d: dict, part: str, field: str, first: int, step: int = 1) -> None:
            renamed = {r['id']: first + step * i for i, r in enumerate(d[part])}
            for record in d[part]:
                record['id'] = renamed[record['id']]
            for annotation in d['annotations'] if field else ():
                annotation[field] = renamed[annotation[field]]

        changes: dict[str, tuple[Callable[[dict], Any], bool]] = {
            'images twice': (lambda d: d['images'].extend(copy.deepcopy(d['images'])), True),
            'annotations twice': (lambda d: d['annotations'].extend(copy.deepcopy(d['annotations'])), True),
            'categories twice': (lambda d: d['categories'].extend(copy.deepcopy(d['categories'])), True),
            'a category name twice': (lambda d: d['categories'][1].update(name='square'), True),
            'another name': (lambda d: d['categories'][0].update(name='Square'), True),
            'categories in another order': (lambda d: d['categories'].reverse(), True),
            'a fourth category': (lambda d: d['categories'].append(dict(id=9, name='star')), False),
            'a fourth category first': (lambda d: d['categories'].insert(0, dict(id=9, name='star')), False),
            'a category is missing': (lambda d: d['categories'].pop(), True),
            'an image is missing': (lambda d: d['images'].pop(0), True),
            'no images': (lambda d: d['images'].clear(), True),
            'no annotations': (lambda d: d['annotations'].clear(), True),
            'no categories': (lambda d: d['categories'].clear(), True),
            'images swapped with annotations': (
                lambda d: d.update(images=d['annotations'], annotations=d['images']),
                True,
            ),
            'only crowds': (lambda d: [a.update(iscrowd=1) for a in d['annotations']], False),
            'sparse category ids': (lambda d: number(d, 'categories', 'category_id', 17, 5), False),
            'category ids from 0': (lambda d: number(d, 'categories', 'category_id', 0), False),
            'negative category ids': (lambda d: number(d, 'categories', 'category_id', -3), False),
            'descending category ids': (lambda d: number(d, 'categories', 'category_id', 90, -7), False),
            'image ids from 0': (lambda d: number(d, 'images', 'image_id', 0), False),
            'large image ids': (lambda d: number(d, 'images', 'image_id', 2**50), False),
            'image ids beyond a float': (lambda d: number(d, 'images', 'image_id', 2**60), True),
            'annotation ids from 0': (lambda d: number(d, 'annotations', '', 0), False),
            'image ids as texts': (
                lambda d: [
                    r.update({k: str(r[k])}) for p, k in (('images', 'id'), ('annotations', 'image_id')) for r in d[p]
                ],
                False,
            ),
            'category ids as texts': (
                lambda d: [
                    r.update({k: str(r[k])})
                    for p, k in (('categories', 'id'), ('annotations', 'category_id'))
                    for r in d[p]
                ],
                False,
            ),
            'an unknown key': (lambda d: d.update(licenses=[], info=None, extra={'a': [1]}), False),
        }
        for name, (change, must_be_refused) in changes.items():
            yield self.case(name, self.changed(change), must_be_refused)

    def _byte_cases(self, rng: random.Random) -> Iterator[Case]:
        text = json.dumps(self.good).encode()
        for at in sorted(rng.sample(range(len(text)), 60)):
            yield self.case(f'cut off after {at} bytes', text[:at], must_be_refused=True)
        for at in sorted(rng.sample(range(len(text)), 150)):
            flipped = bytes([text[at] ^ (1 << rng.randrange(8))])
            yield self.case(f'a bit of byte {at} flipped', text[:at] + flipped + text[at + 1 :])
        for at in sorted(rng.sample(range(len(text)), 60)):
            yield self.case(f'byte {at} lost', text[:at] + text[at + 1 :])
        start = text.index(b'[[')
        for at in range(start, start + 20):
            yield self.case(f'byte {at} of an outline is a comma', text[:at] + b',' + text[at + 1 :])
        for name, content in {
            'nothing': b'', 'blanks': b'  \n', 'null': b'null', 'a number': b'3', 'a text': b'"x"', 'a list': b'[]',
            'an empty dict': b'{}', 'random bytes': rng.randbytes(5000), 'zeros': bytes(5000),
            'two documents': text * 2,
            'UTF-16': text.decode().encode('utf-16'), 'a byte order mark': b'\xef\xbb\xbf' + text,
            'Latin-1': text.replace(b'"ring"', 'ri\xf1g'.encode('latin-1').join([b'"', b'"'])),
            'deep nesting': b'[' * 100_000 + b']' * 100_000, 'deep dicts': b'{"images":' * 50_000,
            'a number of a million digits': text.replace(b'"width": 80', b'"width": ' + b'9' * 1_000_000, 1),
            'single quotes': text.replace(b'"', b"'"), 'a trailing comma': text[:-1] + b',}',
            'JSON lines': b'\n'.join(json.dumps(a).encode() for a in self.good['annotations']),
            'a Python dict': repr(self.good).encode(), 'YOLO': b'0 0.5 0.5 0.2 0.2\n' * 9, 'HTML': b'<html>404</html>',
        }.items():  # fmt: skip
            yield self.case(name, content, must_be_refused=True)


def _require_these_labels(dataset: Any, data: dict[str, Any]) -> None:
    """Require that data set and file have the same boxes, by image and name."""
    names = {category['id']: category['name'] for category in data['categories']}
    sizes = {image['id']: (image['width'], image['height']) for image in data['images']}
    classes = dataset.metainfo['classes']
    expected = sorted(
        (repr(_as_key(a['image_id'])), names[a['category_id']], *map(float, a['bbox']), bool(a.get('iscrowd')))
        for a in data['annotations']
        if _is_inside(a, *sizes[a['image_id']]) and names[a['category_id']] in classes
    )
    found = sorted(
        (repr(_as_key(info['img_id'])), classes[i['bbox_label']], *_xywh(i['bbox']), bool(i['ignore_flag']))
        for info in map(dataset.get_data_info, range(len(dataset)))
        for i in info['instances']
    )
    keys = [[row[:2] for row in rows] for rows in (expected, found)]
    numbers = [np.array([row[2:] for row in rows], dtype=float) for rows in (expected, found)]
    assert keys[0] == keys[1], f'labels differ: expected {len(expected)} boxes, found {len(found)}'
    assert np.allclose(*numbers, atol=1e-3), 'boxes differ'


def _as_key(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def _xywh(box: list[float]) -> tuple[float, ...]:
    return float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])


def _is_inside(annotation: dict[str, Any], width: float, height: float) -> bool:
    x, y, wide, high = annotation['bbox']
    is_seen = x < width and y < height and x + wide > 0 and y + high > 0
    return is_seen and wide >= 1 and high >= 1 and annotation['area'] > 0 and not annotation.get('ignore')


def _require_full_marks(metric: Any, dataset: Any, data: dict[str, Any]) -> None:
    """Require that the ground truth has an AP of 1, unless the check has given a reason."""
    if any(a['id'] == 0 or not _is_plain(a, data) for a in data['annotations']):
        return  # pycocotools counts these objects differently from MMDetection
    metric.dataset_meta = dataset.metainfo
    samples = []
    for info in map(dataset.get_data_info, range(len(dataset))):
        kept = [instance for instance in info['instances'] if not instance['ignore_flag']]
        predictions = dict(
            bboxes=torch.tensor([i['bbox'] for i in kept], dtype=torch.float32).reshape(-1, 4),
            scores=torch.ones(len(kept)),
            labels=torch.tensor([i['bbox_label'] for i in kept], dtype=torch.long),
        )
        samples.append(
            dict(img_id=info['img_id'], ori_shape=(info['height'], info['width']), pred_instances=predictions)
        )
    metric.process({}, samples)
    ap = metric.evaluate(len(samples)).get('coco/bbox_mAP')
    assert ap is None or ap in (1.0, -1.0), f'the ground truth itself has an AP of {ap}'


def _is_plain(annotation: dict[str, Any], data: dict[str, Any]) -> bool:
    image = next(image for image in data['images'] if image['id'] == annotation['image_id'])
    return _is_inside(annotation, image['width'], image['height'])


def huge_file(root: Path, boxes: int) -> Path:
    """Write a valid file with ``boxes`` boxes and outlines; 100,000 take 38 MB."""
    path = root / 'huge.json'
    outline = ', '.join(f'{index}.25, {index}.75' for index in range(20))
    fields = f'"category_id": 1, "iscrowd": 0, "bbox": [1, 2, 30, 40], "area": 1200, "segmentation": [[{outline}]]'
    images = (f'{{"id": {i}, "file_name": "{i}.png", "width": 80, "height": 64}}' for i in range(boxes // 10 + 1))
    rows = (f'{{"id": {index + 1}, "image_id": {index // 10}, {fields}}}' for index in range(boxes))
    categories = '{"id": 1, "name": "square"}'
    path.write_text(
        f'{{"images": [{", ".join(images)}], "categories": [{categories}], "annotations": [{", ".join(rows)}]}}'
    )
    return path

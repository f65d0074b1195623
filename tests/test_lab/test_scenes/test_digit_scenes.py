"""Digit scenes: the same every time, train and val apart, valid COCO, made once."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from sklearn.datasets import load_digits

from eakd_det.datasets.annotations import check_coco_annotations
from eakd_det.errors import ConfigError
from eakd_det.lab.scenes import digit_scenes
from eakd_det.lab.scenes.digit_scenes import CLASSES, DigitScenes, make_digit_scenes

FEW = dict(num_train=40, num_val=20)


@pytest.fixture(scope='module')
def scenes(tmp_path_factory) -> DigitScenes:
    return make_digit_scenes(tmp_path_factory.mktemp('digits') / 'scenes', seed=3, **FEW)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def annotations(path: Path) -> list[dict]:
    return json.loads(path.read_text())['annotations']


class TestChance:
    def test_same_seed_makes_the_same_bytes(self, scenes, tmp_path):
        again = make_digit_scenes(tmp_path / 'again', seed=3, **FEW)
        assert contents(again.root) == contents(scenes.root)

    def test_another_seed_makes_other_scenes(self, scenes, tmp_path):
        other = make_digit_scenes(tmp_path / 'other', seed=4, **FEW)
        assert annotations(other.val_ann) != annotations(scenes.val_ann)

    def test_global_generators_are_neither_read_nor_moved(self, scenes, tmp_path):
        np.random.seed(0)
        before = np.random.get_state()[1].copy()
        again = make_digit_scenes(tmp_path / 'again', seed=3, **FEW)
        assert contents(again.root) == contents(scenes.root)
        assert (np.random.get_state()[1] == before).all()

    def test_smaller_set_is_the_beginning_of_a_larger_one(self, scenes, tmp_path):
        smaller = contents(make_digit_scenes(tmp_path / 'smaller', seed=3, num_train=5, num_val=5).root)
        larger = contents(scenes.root)
        images = [name for name in smaller if name.endswith('.jpg')]
        assert len(images) == 10
        assert all(smaller[name] == larger[name] for name in images)


class TestDisjointness:
    def test_no_digit_is_in_train_and_val(self, scenes):
        train, val = ({item['digit'] for item in annotations(path)} for path in (scenes.train_ann, scenes.val_ann))
        assert train
        assert val
        assert not train & val

    def test_every_digit_belongs_to_one_split(self):
        (_, train, _), (_, val, _) = (digit_scenes._sources(split, seed=0) for split in ('train', 'val'))
        assert sorted([*train, *val]) == list(range(1797))
        labels = load_digits().target
        for split in (train, val):
            assert {int(labels[index]) for index in split} == set(range(10))

    def test_no_pixel_of_a_photograph_is_in_train_and_val(self):
        from sklearn.datasets import load_sample_images

        train, val = (digit_scenes._sources(split, seed=0)[0] for split in ('train', 'val'))
        for whole, left, right in zip(load_sample_images().images, train, val, strict=True):
            assert (np.concatenate([left, right], axis=1)[..., ::-1] == whole).all()


class TestCoco:
    @pytest.mark.parametrize('split', ['train', 'val'])
    def test_pycocotools_reads_it(self, scenes, split):
        coco = COCO(str(scenes.train_ann if split == 'train' else scenes.val_ann))
        folder = scenes.train_images if split == 'train' else scenes.val_images
        assert len(coco.getImgIds()) == FEW[f'num_{split}']
        assert [category['name'] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
        for image in coco.loadImgs(coco.getImgIds()):
            assert cv2.imread(str(folder / image['file_name'])).shape == (image['height'], image['width'], 3)
            assert coco.getAnnIds(imgIds=image['id']), 'a scene without a digit'

    @pytest.mark.parametrize('split', ['train', 'val'])
    def test_boxes(self, scenes, split):
        items = annotations(scenes.train_ann if split == 'train' else scenes.val_ann)
        labels = load_digits().target
        assert [item['id'] for item in items] == list(range(1, len(items) + 1))
        for item in items:
            x, y, width, height = item['bbox']
            assert x >= 0
            assert y >= 0
            assert x + width <= 128
            assert y + height <= 128
            assert 14 <= height <= 48
            assert item['area'] == width * height
            assert item['category_id'] == labels[item['digit']] + 1

    def test_our_own_check_accepts_it(self, scenes):
        summary = check_coco_annotations(scenes.train_ann, CLASSES, 'train_ann', 'train')
        assert tuple(summary.categories) == CLASSES

    def test_all_classes_occur(self, scenes):
        assert {item['category_id'] for item in annotations(scenes.train_ann)} == set(range(1, 11))


class TestReuse:
    def test_same_parameters_find_what_is_there(self, tmp_path):
        made = make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        before = {path: path.stat().st_mtime_ns for path in made.root.rglob('*')}
        found = make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        assert (made.reused, found.reused) == (False, True)
        assert {path: path.stat().st_mtime_ns for path in found.root.rglob('*')} == before

    def test_other_parameters_replace_it(self, tmp_path):
        make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        made = make_digit_scenes(tmp_path / 'scenes', num_train=1, num_val=1)
        assert not made.reused
        assert len(list(made.train_images.iterdir())) == 1

    @pytest.mark.parametrize('harm', ['image', 'annotations', 'manifest'])
    def test_harmed_scenes_are_made_again(self, tmp_path, harm):
        made = make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        before = contents(made.root)
        if harm == 'image':
            next(made.train_images.iterdir()).unlink()
        else:
            path = made.val_ann if harm == 'annotations' else made.root / 'manifest.json'
            path.write_text(path.read_text()[:-20])
        again = make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        assert not again.reused
        assert contents(again.root) == before

    def test_failure_leaves_the_old_scenes_and_nothing_else(self, tmp_path, monkeypatch):
        made = make_digit_scenes(tmp_path / 'scenes', num_train=2, num_val=1)
        before = contents(made.root)
        monkeypatch.setattr(digit_scenes.cv2, 'imwrite', lambda *args: False)
        with pytest.raises(OSError, match='could not be written'):
            make_digit_scenes(tmp_path / 'scenes', num_train=3, num_val=1)
        assert contents(made.root) == before
        assert list(tmp_path.iterdir()) == [made.root]


class TestBadInput:
    @pytest.mark.parametrize(
        ('name', 'value'),
        [
            ('num_train', 0),
            ('num_val', 0),
            ('image_size', 16),
            ('seed', -1),
            ('digits_per_scene', (0, 3)),
            ('digits_per_scene', (4, 3)),
            ('digit_height', (4, 20)),
            ('digit_height', (30, 20)),
            ('digit_height', (20, 80)),
            ('max_overlap', -0.1),
            ('max_overlap', 1.5),
        ],
    )
    def test_parameter_out_of_range(self, tmp_path, name, value):
        with pytest.raises(ConfigError, match=f'^{name}: expected .* but got'):
            make_digit_scenes(tmp_path / 'scenes', **{**FEW, name: value})
        assert not list(tmp_path.iterdir())

    def test_folder_of_something_else_is_left_alone(self, tmp_path):
        (tmp_path / 'thesis.tex').write_text('precious')
        with pytest.raises(ConfigError, match='one with digit scenes'):
            make_digit_scenes(tmp_path, **FEW)
        assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mmcv import imwrite
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import DefaultScope

import eakd_det  # noqa: F401
from eakd_det.datasets import apply_data_options
from eakd_det.datasets.class_names import read_class_names
from eakd_det.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / 'configs'
EA_KD = CONFIGS / 'custom' / 'ea-kd_faster-rcnn_r50-mv2_fpn_custom.py'
STUDENT = CONFIGS / 'custom' / 'student_faster-rcnn_mv2_fpn_custom.py'
COCO = CONFIGS / 'r101_r18' / 'ea-kd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'
NAMES = ('red cell', 'white', 'platelet')


def write_annotations(path: Path, names=NAMES, first_id: int = 1) -> None:
    # the ids run against the order of the list: MMDetection must not sort by them
    categories = [dict(id=100 - index, name=name) for index, name in enumerate(names)]
    boxes = [
        dict(id=index, image_id=first_id, category_id=category['id'], bbox=[4, 4, 20, 20], area=400, iscrowd=0)
        for index, category in enumerate(categories)
    ]
    image = dict(id=first_id, file_name=f'{first_id}.png', width=64, height=64)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(images=[image], annotations=boxes, categories=categories)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_annotations(tmp_path / 'instances_train.json', first_id=1)
    write_annotations(tmp_path / 'instances_val.json', first_id=2)
    for index in (1, 2):
        imwrite(np.full((64, 64, 3), 90, np.uint8), str(tmp_path / 'images' / f'{index}.png'))
    return tmp_path


def load(path: Path, **options) -> Config:
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options)
    return cfg


def parse(*arguments: str) -> dict:
    """Parse --cfg-options as the command line does."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(['--cfg-options', *arguments]).cfg_options


def test_reaches_every_data_set_evaluator_and_head(root):
    cfg = apply_data_options(load(EA_KD, data_root=str(root), classes=NAMES))
    for loader, file in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = cfg[f'{loader}_dataloader'].dataset
        assert dataset.data_root == str(root)
        assert dataset.ann_file == f'instances_{file}.json'
        assert dataset.data_prefix == dict(img='images/')
        assert dataset.metainfo.classes == NAMES
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert evaluator.ann_file == str(root / 'instances_val.json')
    assert cfg.model.architecture.roi_head.bbox_head.num_classes == 3
    assert cfg.model.teacher.roi_head.bbox_head.num_classes == 3
    assert cfg.classes == NAMES


def test_the_built_data_set_has_these_labels(root):
    cfg = apply_data_options(load(STUDENT, data_root=str(root)))
    with DefaultScope.overwrite_default_scope('mmdet'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert dataset.metainfo['classes'] == NAMES
    labels = [instance['bbox_label'] for instance in dataset.get_data_info(0)['instances']]
    assert labels == [0, 1, 2]  # the boxes are listed in the order of the categories
    assert Path(dataset.get_data_info(0)['img_path']).is_file()


def test_the_given_config_is_not_changed(root):
    cfg = load(EA_KD, data_root=str(root), classes=list(NAMES))
    before = cfg.to_dict()
    applied = apply_data_options(cfg)
    assert cfg.to_dict() == before
    assert applied.filename == cfg.filename
    assert apply_data_options(applied).to_dict() == applied.to_dict()


def test_classes_default_to_the_training_categories(root):
    cfg = load(EA_KD, data_root=str(root))
    assert cfg.classes is None
    assert apply_data_options(cfg).classes == NAMES


WRITTEN = ('[red cell,white,platelet]', 'red cell,white,platelet', '"red cell,white,platelet"')


@pytest.mark.parametrize('written', WRITTEN)
def test_classes_from_the_command_line(root, written):
    options = parse(f'classes={written}', f'data_root={root}')  # MMEngine removes the blank from 'red cell'
    assert apply_data_options(load(EA_KD, **options)).classes == NAMES


def test_a_subset_in_file_order_is_enough(root):
    cfg = apply_data_options(load(EA_KD, data_root=str(root), classes='red cell, platelet'))
    assert cfg.classes == ('red cell', 'platelet')
    assert cfg.model.teacher.roi_head.bbox_head.num_classes == 2


@pytest.mark.parametrize(
    ('value', 'names'),
    [
        (None, None),
        ('RBC', ('RBC',)),
        ('RBC,WBC,Platelets', ('RBC', 'WBC', 'Platelets')),
        ([0, 1, 10], ('0', '1', '10')),
        (7, ('7',)),
        (('traffic light', 'car'), ('traffic light', 'car')),
    ],
)
def test_class_name_formats(value, names):
    assert read_class_names(value) == names


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ([], 'but got none; omit classes'),
        ('', "but got '' among them"),
        ('a,,b', "but got '' among them"),
        (['a', 'b', 'a'], 'classes: expected unique names, but got a more than once'),
        ([True, 'b'], 'but got True among them'),
        ([1.5], 'but got 1.5 among them'),
        (dict(a=1), "but got {'a': 1}"),
        (True, 'but got True'),
    ],
)
def test_invalid_class_names(value, message):
    with pytest.raises(ConfigError, match='classes') as error:
        read_class_names(value)
    assert message in str(error.value)
    assert '\n' not in str(error.value)


def test_another_order_than_the_file_is_an_error_with_the_right_order(root):
    with pytest.raises(ConfigError, match=r'order') as error:
        apply_data_options(load(EA_KD, data_root=str(root), classes='white,red cell,platelet'))
    assert str(NAMES) in str(error.value)
    assert 'instances_train.json' in str(error.value)


def test_train_and_val_must_agree_on_the_order(root):
    write_annotations(root / 'instances_val.json', names=NAMES[::-1], first_id=2)
    for classes in (None, NAMES, NAMES[::-1]):
        with pytest.raises(ConfigError, match=r'order') as error:
            apply_data_options(load(EA_KD, data_root=str(root), classes=classes))
        assert all(f'instances_{split}.json' in str(error.value) for split in ('train', 'val'))
        assert str(error.value).startswith('train_ann, val_ann: ')


def test_unknown_class(root):
    with pytest.raises(ConfigError, match=r"train_ann.*'blue'.*platelet"):
        apply_data_options(load(EA_KD, data_root=str(root), classes='red cell,blue'))


def test_missing_folder_file_and_images(root, monkeypatch):
    monkeypatch.chdir(root)
    with pytest.raises(ConfigError, match=r'^data_root: .*nowhere'):
        apply_data_options(load(EA_KD, data_root=str(root / 'nowhere')))
    with pytest.raises(ConfigError, match=r'^data_root: '):
        apply_data_options(load(EA_KD))  # the default folder
    with pytest.raises(ConfigError, match=r'^train_ann: .*other\.json'):
        apply_data_options(load(EA_KD, data_root=str(root), train_ann='other.json'))
    with pytest.raises(ConfigError, match=r'^val_images: .*elsewhere/2\.png'):
        apply_data_options(load(EA_KD, data_root=str(root), val_images='elsewhere/'))


def test_testing_needs_no_training_data(root):
    (root / 'instances_train.json').unlink()
    cfg = load(EA_KD, data_root=str(root))
    with pytest.raises(ConfigError, match=r'^train_ann: '):
        apply_data_options(cfg)
    assert apply_data_options(cfg, usage='test').classes == NAMES


def test_other_file_names_and_folders(root):
    write_annotations(root / 'a' / 'train.json', first_id=1)
    (root / 'images').rename(root / 'photos')
    cfg = load(
        EA_KD, data_root=str(root), train_ann='a/train.json', train_images='photos', val_images=str(root / 'photos')
    )
    cfg = apply_data_options(cfg)
    assert cfg.train_dataloader.dataset.ann_file == 'a/train.json'
    assert cfg.test_dataloader.dataset.data_prefix.img == str(root / 'photos')


def test_coco_config_keeps_its_classes(root):
    cfg = apply_data_options(
        load(COCO, data_root=str(root), train_ann='instances_train.json', val_ann='instances_val.json')
    )
    assert 'classes' not in cfg
    assert 'metainfo' not in cfg.train_dataloader.dataset
    assert cfg.val_evaluator.ann_file == str(root / 'instances_val.json')
    assert cfg.model.architecture.roi_head.bbox_head.num_classes == 80


def test_config_without_data_options_is_unchanged():
    cfg = Config.fromfile(COCO)
    plain = Config({key: value for key, value in cfg.to_dict().items() if not key.endswith(('_ann', '_images'))})
    applied = apply_data_options(plain)
    assert applied is not plain
    assert applied.to_dict() == plain.to_dict()


def test_wrapped_data_sets_and_cascades(root):
    cfg = load(STUDENT, data_root=str(root))
    cfg.train_dataloader.dataset = ConfigDict(type='RepeatDataset', times=2, dataset=cfg.train_dataloader.dataset)
    cfg.model.roi_head.bbox_head = [cfg.model.roi_head.bbox_head, dict(type='Shared2FCBBoxHead', num_classes=80)]
    cfg.val_evaluator = [cfg.val_evaluator, dict(type='DumpDetResults')]
    cfg = apply_data_options(cfg)
    assert cfg.train_dataloader.dataset.dataset.metainfo.classes == NAMES
    assert [head.num_classes for head in cfg.model.roi_head.bbox_head] == [3, 3]
    assert cfg.val_evaluator[0].ann_file == str(root / 'instances_val.json')


def test_one_file_for_several_data_sets_is_an_error(root):
    cfg = load(STUDENT, data_root=str(root))
    one = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = ConfigDict(type='ConcatDataset', datasets=[one, one])
    with pytest.raises(ConfigError, match=r'train_ann.*2 data sets'):
        apply_data_options(cfg)


def test_more_classes_than_coco_has_colours(root):
    names = [f'kind {index}' for index in range(100)]
    for split, image in (('train', 1), ('val', 2)):
        write_annotations(root / f'instances_{split}.json', names=names, first_id=image)
    cfg = apply_data_options(load(STUDENT, data_root=str(root)))
    assert cfg.model.roi_head.bbox_head.num_classes == 100
    assert cfg.val_dataloader.dataset.metainfo.palette is None

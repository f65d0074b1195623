from __future__ import annotations

import pytest
from mmengine.config import Config

from eakd_det.datasets import apply_data_options
from eakd_det.datasets.coco_file import AnnotationSummary
from eakd_det.datasets.image_scale import remark_on_size, scale_images
from eakd_det.errors import ConfigError

RESIZE = dict(type='Resize', scale=(200, 150), keep_ratio=True)


def config(**keys) -> Config:
    pipeline = [
        dict(type='RandomResize', scale=(200, 150), ratio_range=(0.7, 1.5)),
        dict(type='RandomChoiceResize', scales=[(200, 150), (300, 150)]),
        dict(type='RandomCrop', crop_size=(200, 200)),
        dict(type='RandomCrop', crop_type='relative_range', crop_size=(0.3, 1.0)),
        dict(type='Pad', size_divisor=32),
    ]
    loader = dict(dataset=dict(type='CocoDataset', pipeline=[dict(RESIZE)]))
    mixed = dict(type='MultiImageMixDataset', pipeline=[dict(type='Mosaic', img_scale=(64, 64))])
    train = dict(dataset=dict(mixed, dataset=dict(type='CocoDataset', pipeline=pipeline)))
    hooks = [dict(type='PipelineSwitchHook', switch_epoch=1, switch_pipeline=[dict(type='Resize', scale=(64, 64))])]
    return Config(
        dict(train_dataloader=train, val_dataloader=loader, test_dataloader=loader, custom_hooks=hooks, **keys)
    )


def test_every_size_is_multiplied_once():
    cfg = config(image_scale=1.5)
    cfg.test_dataloader = cfg.val_dataloader  # one object
    scale_images(cfg)
    resize, choice, crop, relative, pad = cfg.train_dataloader.dataset.dataset.pipeline
    assert resize == dict(type='RandomResize', scale=(300, 225), ratio_range=(0.7, 1.5))
    assert choice.scales == [(300, 225), (450, 225)]
    assert crop.crop_size == (300, 300)
    assert relative.crop_size == (0.3, 1.0)
    assert pad.size_divisor == 32
    assert cfg.train_dataloader.dataset.pipeline[0].img_scale == (96, 96)
    assert cfg.val_dataloader.dataset.pipeline[0].scale == (300, 225)
    assert cfg.custom_hooks[0].switch_pipeline[0].scale == (96, 96)


def test_the_config_that_is_left_can_be_read_again():
    once = apply_data_options(config(image_scale=2))
    assert 'image_scale' not in once
    assert apply_data_options(once).to_dict() == once.to_dict()
    assert once.val_dataloader.dataset.pipeline[0].scale == (400, 300)


@pytest.mark.parametrize('factor', [0, -1, 'twice', True, float('inf'), float('nan'), (2, 2)])
def test_not_a_factor(factor):
    with pytest.raises(ConfigError, match='image_scale: expected a positive number'):
        scale_images(config(image_scale=factor))


def test_nothing_to_scale():
    with pytest.raises(ConfigError, match='image_scale: expected a transform'):
        scale_images(Config(dict(image_scale=2, train_dataloader=dict(dataset=dict(type='CocoDataset', pipeline=[])))))


def summary(side: float | None, size: tuple[int, int] = (1000, 750), images: int = 3) -> AnnotationSummary:
    names = tuple(map(str, range(images)))
    return AnnotationSummary(names, dict(cell=images), sizes=(size,) * images, sides=(side,) * images)


def remark(found: AnnotationSummary, step: dict | None = None) -> str:
    return ''.join(remark_on_size(found, dict(pipeline=[step or RESIZE])))


def test_small_objects_are_remarked_with_the_factor_that_makes_them_clear():
    text = remark(summary(40.0))  # 8 of 200 pixels
    assert 'resize to 200 x 150' in text
    assert 'at most 8 pixels' in text
    assert 'image_scale=2 ' in text
    assert '4 times as long' in text
    assert 'image_scale=4 ' in remark(summary(5.0))


@pytest.mark.parametrize(
    ('found', 'step'),
    [
        (summary(60.0), None),  # 12 of 200 pixels
        (summary(None), None),  # no boxes
        (summary(10.0, size=(200, 150)), None),  # the photos have no more pixels
        (summary(40.0), dict(type='RandomChoiceResize', scales=[(200, 150)])),
    ],
)
def test_no_remark(found, step):
    assert not remark(found, step)

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv import imwrite
from mmdet.apis import inference_detector, init_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

import eakd_det  # noqa: F401
from eakd_det.errors import ConfigError
from eakd_det.models import stock_student_config
from tests.processes import needs_compiled_ops

CONFIGS = Path(__file__).parents[2] / 'configs'
EA_KD = CONFIGS / 'r50_mv2' / 'ea-kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'
STUDENT = CONFIGS / 'r50_mv2' / 'student_faster-rcnn_mv2_fpn_ms-1x_coco.py'

DETECT_WITHOUT_THE_PACKAGE = """
import sys
sys.modules['eakd_det'] = sys.modules['mmrazor'] = None  # what an import of them meets where they are not installed
import numpy as np
from mmdet.apis import inference_detector, init_detector
config, checkpoint, image, out = sys.argv[1:]
model = init_detector(config, checkpoint, device='cpu')
found = inference_detector(model, image).pred_instances
np.savez(out, boxes=found.bboxes.numpy(), scores=found.scores.numpy(), kind=type(model.backbone).__module__)
"""


def types_in(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node['type']} if isinstance(node.get('type'), str) else set()
        return own.union(*(types_in(value) for value in node.values()))
    if isinstance(node, (list, tuple)):
        return set().union(*(types_in(value) for value in node))
    return set()


def test_nothing_of_the_package_is_left():
    cfg = Config.fromfile(EA_KD)
    stock = stock_student_config(cfg)
    assert any(kind.startswith('eakd_det.') for kind in types_in(cfg.to_dict()))
    assert not any(kind.startswith('eakd_det.') for kind in types_in(stock.to_dict()))
    assert 'eakd_det' not in stock.pretty_text
    assert stock.model.type == 'FasterRCNN'
    assert stock.model.backbone.type == 'mmdet.MobileNetV2'


def test_distilled_and_plain_student_have_the_same_stock_config():
    distilled = stock_student_config(Config.fromfile(EA_KD)).to_dict()
    assert distilled == stock_student_config(Config.fromfile(STUDENT)).to_dict()


def test_the_given_config_is_not_changed():
    cfg = Config.fromfile(EA_KD)
    before = cfg.to_dict()
    stock_student_config(cfg)
    assert cfg.to_dict() == before


def test_hooks_and_imports_of_others_stay():
    cfg = Config(
        dict(
            model=dict(type='FasterRCNN'),
            custom_hooks=[dict(type='eakd_det.CocoEvalHook'), dict(type='NumClassCheckHook')],
            custom_imports=dict(imports=['eakd_det', 'mine'], allow_failed_imports=False),
        )
    )
    stock = stock_student_config(cfg)
    assert stock.custom_hooks == [dict(type='NumClassCheckHook')]
    assert stock.custom_imports.imports == ['mine']


def test_the_algorithms_preprocessor_is_the_students():
    own, algorithms = (dict(type='DetDataPreprocessor', mean=[mean] * 3, std=[1.0] * 3) for mean in (0.0, 9.0))
    model = dict(type='eakd_det.ProposalDistill', architecture=dict(type='FasterRCNN', data_preprocessor=own))
    assert stock_student_config(Config(dict(model=model))).model.data_preprocessor == own
    model['data_preprocessor'] = algorithms  # what a batch goes through in training
    assert stock_student_config(Config(dict(model=model))).model.data_preprocessor == algorithms


@pytest.mark.parametrize('as_dict', [False, True], ids=['config file', 'cfg_path'])
def test_student_named_by_a_config(tmp_path, as_dict):
    if as_dict:
        student = dict(cfg_path='mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', pretrained=False)
    else:
        student = str(tmp_path / 'student.py')
        Config(dict(model=dict(type='FasterRCNN', backbone=dict(type='ResNet')))).dump(student)
    cfg = Config(dict(model=dict(type='eakd_det.ProposalDistill', architecture=student)))
    stock = stock_student_config(cfg)
    assert stock.model.type == 'FasterRCNN'
    assert stock.model.backbone.type == 'ResNet'


@pytest.mark.parametrize(
    ('model', 'message'),
    [
        (dict(type='FasterRCNN', backbone=dict(type='eakd_det.Mine')), r'^model\.backbone\.type: eakd_det\.Mine'),
        (dict(type='eakd_det.ProposalDistill', architecture=3), r'^model\.architecture: .*got int'),
        (None, r'^model: .*got None'),
    ],
)
def test_configs_that_have_no_stock_student(model, message):
    with pytest.raises(ConfigError, match=message):
        stock_student_config(Config(dict(model=model)))


@needs_compiled_ops
def test_student_runs_where_the_package_is_not_installed(tmp_path):
    cfg = Config.fromfile(EA_KD)
    cfg.model.architecture.backbone.init_cfg = None
    cfg.model.architecture.test_cfg.rcnn.score_thr = 0.0  # untrained: every score is low
    with DefaultScope.overwrite_default_scope('mmdet'):
        student = MODELS.build(cfg.model.architecture)
    torch.manual_seed(0)
    student.init_weights()
    config, checkpoint, image, out = (str(tmp_path / name) for name in ('student.py', 'it.pth', 'image.png', 'out.npz'))
    meta = dict(dataset_meta=dict(classes=('a',) * 80, palette=[(0, 0, 0)] * 80))
    torch.save(dict(state_dict=student.state_dict(), meta=meta), checkpoint)
    imwrite(np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8), image)
    for dataloader in (cfg.test_dataloader, cfg.val_dataloader):
        dataloader.dataset.pipeline[1].scale = (170, 128)
    stock_student_config(cfg).dump(config)

    command = [sys.executable, '-W', 'ignore', '-c', DETECT_WITHOUT_THE_PACKAGE, config, checkpoint, image, out]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=300)
    found = np.load(out)
    assert found['kind'] == 'mmdet.models.backbones.mobilenet_v2'
    plain = Config(dict(cfg.to_dict(), model=cfg.model.architecture.to_dict()))
    expected = inference_detector(init_detector(plain, checkpoint, device='cpu'), image).pred_instances
    assert len(expected) > 0
    np.testing.assert_array_equal(found['boxes'], expected.bboxes.numpy())
    np.testing.assert_array_equal(found['scores'], expected.scores.numpy())

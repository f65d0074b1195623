"""What a user may get wrong, and the one line that says so. Nothing here gets as far as training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, one_error

Spoil = Callable[[Config, Workspace], Any]


def _single_stage(side: str) -> Spoil:
    def spoil(cfg: Config, workspace: Workspace) -> None:
        cfg.model[side] = Config.fromfile(f'{tiny._mmdet_configs()}/_base_/models/retinanet_r50_fpn.py').model
        cfg.model[side].backbone.init_cfg = None
        cfg.model.teacher_ckpt = None

    return spoil


def _spoil_annotations(change: Callable[[dict], Any], split: str = 'train') -> Spoil:
    def spoil(cfg: Config, workspace: Workspace) -> None:
        content = tiny_data.read_annotations(workspace.data, split)
        change(content)
        tiny_data.write_annotations(workspace.data, split, content)

    return spoil


def _write(split: str, text: str) -> Spoil:
    return lambda cfg, workspace: tiny_data.write_annotations(workspace.data, split, text)


def _truncate(cfg: Config, workspace: Workspace) -> None:
    text = json.dumps(tiny_data.read_annotations(workspace.data, 'train'))
    tiny_data.write_annotations(workspace.data, 'train', text[:-30])


def _reorder_classes(cfg: Config, workspace: Workspace) -> None:
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.metainfo.classes = ('disc', 'square', 'ring')


def _misspell_class(cfg: Config, workspace: Workspace) -> None:
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.metainfo.classes = ('square', 'disk', 'ring')


def _set(key: str, value: Any) -> Spoil:
    return lambda cfg, workspace: cfg.merge_from_dict({key: value})


DATA: dict[str, tuple[Spoil, str]] = {
    'no annotation file': (
        lambda cfg, w: tiny_data.annotation_file(w.data, 'train').unlink(),
        'train_dataloader.dataset.ann_file: expected a COCO annotation file, but .*instances_train.json does not exist',
    ),
    'empty': (_write('train', ''), 'train_dataloader.dataset.ann_file: .*instances_train.json is empty'),
    'truncated': (_truncate, 'train_dataloader.dataset.ann_file: .*is not valid JSON, or is truncated'),
    'not COCO': (_write('val', '{"shapes": []}'), r'val_dataloader.dataset.ann_file: .*is not a COCO annotation file'),
    'no images': (_spoil_annotations(lambda d: d.update(images=[])), 'instances_train.json has no images'),
    'no boxes': (_spoil_annotations(lambda d: d.update(annotations=[])), 'instances_train.json has no annotations'),
    'unknown image': (_spoil_annotations(lambda d: d['annotations'][0].update(image_id=99)), '1 of image 99'),
    'no iscrowd in val': (
        _spoil_annotations(lambda d: [a.pop('iscrowd') for a in d['annotations']], 'val'),
        "val_dataloader.dataset.ann_file: .*no 'iscrowd'",
    ),
    'another class': (
        _spoil_annotations(lambda d: d['categories'][2].update(name='torus')),
        "lacks classes of the config: 'ring' is not among its categories",
    ),
    'classes in another order': (_reorder_classes, r"expected classes=\('square', 'disc', 'ring'\)"),
    'files in two orders': (
        _spoil_annotations(lambda d: d['categories'].reverse(), 'val'),
        'train_dataloader.dataset.ann_file, val_dataloader.dataset.ann_file: .*instances_train.json and '
        '.*instances_val.json ',
    ),
    'misspelt class': (_misspell_class, "'disk' is not among .*did you mean 'disc'"),
    'classes as one string': (
        lambda cfg, w: cfg.train_dataloader.dataset.metainfo.update(classes='square'),
        "expected a list of names, but got 'square'",
    ),
    'evaluator of another file': (
        _set('val_evaluator.ann_file', 'no/such.json'),
        'val_evaluator.ann_file: expected a COCO annotation file, but no/such.json does not exist',
    ),
    'no image folder': (
        lambda cfg, w: shutil.rmtree(w.data / 'val'),
        'val_dataloader.dataset.data_prefix.img: expected the folder of the images',
    ),
    'an image is missing': (
        lambda cfg, w: (w.data / 'train' / '2.png').unlink(),
        'train_dataloader.dataset.data_prefix.img: 1 of the 4 images .*the first of them is 2.png',
    ),
    'a folder as annotation file': (
        _set('train_dataloader.dataset.ann_file', ''),
        "train_dataloader.dataset.ann_file: expected a COCO annotation file, but got ''",
    ),
    'data in a wrapper': (
        lambda cfg, w: cfg.train_dataloader.update(
            dataset=dict(type='RepeatDataset', times=2, dataset={**cfg.train_dataloader.dataset, 'ann_file': 'no.json'})
        ),
        'train_dataloader.dataset.dataset.ann_file: .*no.json does not exist',
    ),
    'other number of classes': (
        _set('model.roi_head.bbox_head.num_classes', 80),
        'model.roi_head.bbox_head.num_classes: expected 3, the number of classes of train_dataloader.dataset, but got',
    ),
}


@pytest.mark.parametrize('fault', DATA)
def test_data(workspace: Workspace, capsys: pytest.CaptureFixture, fault: str) -> None:
    spoil, message = DATA[fault]
    cfg = tiny_data.student_config(workspace.data)
    spoil(cfg, workspace)

    assert workspace.train(workspace.write(cfg)) == 1
    assert_matches(message, one_error(capsys.readouterr()))
    assert not workspace.work_dir.exists()  # nothing was built


def _save(content: Any, name: str = 'teacher.pth') -> Spoil:
    def spoil(cfg: Config, workspace: Workspace) -> None:
        torch.save(content() if callable(content) else content, workspace.root / name)
        cfg.model.teacher_ckpt = str(workspace.root / name)

    return spoil


def _cut_teacher(cfg: Config, workspace: Workspace) -> None:
    broken = workspace.root / 'cut.pth'
    broken.write_bytes(Path(cfg.model.teacher_ckpt).read_bytes()[:-1000])
    cfg.model.teacher_ckpt = str(broken)


def _other_names(cfg: Config, workspace: Workspace) -> None:
    content = torch.load(cfg.model.teacher_ckpt, weights_only=True)
    content['meta']['dataset_meta']['classes'] = ('square', 'plate', 'ring')
    _save(content)(cfg, workspace)


def _teacher_asked_of_a_plain_detector(cfg: Config, workspace: Workspace) -> None:
    cfg.model = cfg.model.architecture
    cfg.custom_hooks = [dict(type='eakd_det.CocoEvalHook', teacher=True)]


DISTILLATION: dict[str, tuple[Spoil, str]] = {
    'no teacher checkpoint': (
        _set('model.teacher_ckpt', 'no/such.pth'),
        'model.teacher_ckpt: expected a checkpoint file, but no/such.pth does not exist',
    ),
    'cut teacher checkpoint': (_cut_teacher, 'model.teacher_ckpt: .*cut.pth is truncated or not a checkpoint'),
    'teacher of another architecture': (
        _save(lambda: dict(state_dict=tiny.build(tiny.faster_rcnn(base='mask-rcnn_r50_fpn')).state_dict())),
        r'model.teacher_ckpt: .*does not fit FasterRCNN: \d+ tensors match, 0 missing, \d+ unexpected',
    ),
    'teacher of another number of classes': (
        _save(lambda: dict(state_dict=tiny.build(tiny.faster_rcnn(num_classes=7)).state_dict())),
        r'model.teacher_ckpt: .*4 of another shape.*another number of classes\?',
    ),
    'teacher of other classes': (_other_names, "classes differ: index 1 is 'disc' in .* and 'plate' in"),
    'single-stage student': (
        _single_stage('architecture'),
        'model.teacher.roi_head.bbox_head: expected a single-stage detector.*model.architecture.*but got FasterRCNN',
    ),
    'single-stage teacher': (
        _single_stage('teacher'),
        'model.teacher.bbox_head: expected a two-stage detector.*but got RetinaNet',
    ),
    'tau of 0': (
        _set('model.distiller.distill_losses.loss_kd.tau', 0),
        r'distill_losses\.loss_kd\.tau: expected a finite number > 0, .* but got 0',
    ),
    'tau of the weighting below 0': (
        _set('model.distiller.distill_losses.loss_kd.weighting.tau', -3.0),
        r'loss_kd\.weighting\.tau: expected a finite number > 0, but got -3\.0',
    ),
    'unknown weighting': (
        _set('model.distiller.distill_losses.loss_kd.weighting.type', 'eakd_det.EntropyWeigthing'),
        "model.distiller.distill_losses.loss_kd.weighting.type: .*'eakd_det.EntropyWeigthing'.*"
        "did you mean 'EntropyWeighting'",
    ),
    'unknown argument of a loss': (
        _set('model.distiller.distill_losses.loss_kd.temperature', 2.0),
        r'model\.distiller\.distill_losses\.loss_kd\.temperature: expected an argument among tau, ',
    ),
    'student of another number of classes': (
        _set('model.architecture.roi_head.bbox_head.num_classes', 80),
        'model.architecture.roi_head.bbox_head.num_classes: expected 3',
    ),
    'teacher to be evaluated without one': (
        _teacher_asked_of_a_plain_detector,
        'CocoEvalHook.teacher: expected a model with a teacher, but got FasterRCNN',
    ),
}


@pytest.mark.parametrize('fault', DISTILLATION)
def test_distillation(workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture, fault: str) -> None:
    spoil, message = DISTILLATION[fault]
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt)
    cfg.custom_hooks.insert(0, dict(type='eakd_det.ClassCheckHook'))
    spoil(cfg, workspace)

    assert workspace.train(workspace.write(cfg)) == 1
    assert_matches(message, one_error(capsys.readouterr()))


CONFIG: dict[str, tuple[Spoil, str]] = {
    'misspelt detector': (_set('model.type', 'FasterRCN'), "model.type: 'FasterRCN' is not registered.*'FasterRCNN'"),
    'misspelt backbone': (_set('model.backbone.type', 'ResNt'), "model.backbone.type: .*did you mean 'ResNet'"),
    'type of another scope': (
        _set('model.roi_head.type', 'ProposalDistill'),
        "model.roi_head.type: 'ProposalDistill' is not registered.*did you mean 'eakd_det.ProposalDistill'",
    ),
    'misspelt hook': (
        lambda cfg, w: cfg.custom_hooks.append(dict(type='EMAHok')),
        "custom_hooks.1.type: 'EMAHok' is not registered.*did you mean 'EMAHook'",
    ),
    'misspelt transform': (
        _set('train_dataloader.dataset.pipeline.0.type', 'LoadImageFromFil'),
        "train_dataloader.dataset.pipeline.0.type: 'LoadImageFromFil' is not registered",
    ),
    'unknown argument': (_set('model.backbone.dept', 18), "model.backbone.dept: ResNet has no argument 'dept'"),
    'missing argument': (lambda cfg, w: cfg.model.backbone.pop('depth'), "model.backbone: ResNet also needs 'depth'"),
    'no training loop': (_set('train_cfg', None), 'train_cfg: training needs it'),
    'validation without an evaluator': (_set('val_evaluator', None), 'should be either all None or not None'),
    'no model': (lambda cfg, w: cfg._cfg_dict.pop('model'), 'model: expected .*config.py to define a model dict'),
}


@pytest.mark.parametrize('fault', CONFIG)
def test_config(workspace: Workspace, capsys: pytest.CaptureFixture, fault: str) -> None:
    spoil, message = CONFIG[fault]
    cfg = tiny_data.student_config(workspace.data)
    spoil(cfg, workspace)

    assert workspace.train(workspace.write(cfg)) == 1
    assert_matches(message, one_error(capsys.readouterr()))


FLAGS: dict[str, tuple[list[str], str]] = {
    'resume from nothing': (['--resume', 'no/such.pth'], '--resume: expected a checkpoint file, but no/such.pth'),
    'load from nothing': (['--cfg-options', 'load_from=no.pth'], 'load_from: expected a checkpoint file, but no.pth'),
    'unknown key': (['--cfg-options', 'trian_cfg.max_iters=1'], "no 'trian_cfg'; did you mean 'train_cfg'"),
    'unknown key within': (['--cfg-options', 'model.backbon.depth=50'], "no 'backbon'; did you mean 'backbone'"),
    'below a number': (['--cfg-options', 'train_cfg.max_iters.x=1'], "train_cfg.max_iters is 4 and has no 'x'"),
    'beyond a list': (['--cfg-options', 'custom_hooks.5.teacher=True'], "custom_hooks is a list of 1 and has no '5'"),
    'scaling without a base': (
        ['--auto-scale-lr', '--cfg-options', 'auto_scale_lr=None'],
        r'--auto-scale-lr: expected auto_scale_lr=dict\(',
    ),
}


@pytest.mark.parametrize('fault', FLAGS)
def test_flags(workspace: Workspace, capsys: pytest.CaptureFixture, fault: str) -> None:
    flags, message = FLAGS[fault]
    assert workspace.train(workspace.write(tiny_data.student_config(workspace.data)), *flags) == 1
    assert_matches(message, one_error(capsys.readouterr()))


def test_resuming_from_what_is_no_training_state(
    workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture
) -> None:
    config = workspace.write(tiny_data.student_config(workspace.data))
    weights = workspace.root / 'weights.pth'
    content = torch.load(teacher_ckpt, weights_only=True)
    torch.save(dict(state_dict=content['state_dict']), weights)

    assert workspace.train(config, '--resume', str(weights)) == 1
    assert 'holds weights, but not the state of a training run' in one_error(capsys.readouterr())

    content['state_dict'].pop('rpn_head.rpn_cls.weight')
    torch.save(content, weights)
    assert workspace.train(config, '--resume', str(weights)) == 1
    assert_matches(r'does not fit the config: .* 1 missing \(rpn_head.rpn_cls.weight\)', one_error(capsys.readouterr()))


def test_starting_from_weights_of_which_nothing_fits(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    """MMEngine would log a warning and train from scratch."""
    torch.save({'layer.weight': torch.ones(1)}, workspace.root / 'other.pth')
    config = workspace.write(tiny_data.student_config(workspace.data))
    assert workspace.train(config, '--cfg-options', f'load_from={workspace.root / "other.pth"}') == 1
    assert_matches('load_from: .*other.pth does not fit the config: 0 tensors match', one_error(capsys.readouterr()))


def test_pretrained_weights_that_are_not_there_name_their_key(
    workspace: Workspace, capsys: pytest.CaptureFixture
) -> None:
    cfg = tiny_data.student_config(workspace.data)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='no/backbone.pth')
    assert workspace.train(workspace.write(cfg)) == 1
    assert_matches('model.backbone.init_cfg.checkpoint: .*no/backbone.pth', one_error(capsys.readouterr()))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x = (\n', r"config.py, line 1: SyntaxError: '\(' was never closed"),
        ('a = 1\nb = c\n', r"config.py, line 2: NameError: name 'c' is not defined"),
        ("_base_ = './no_base.py'\n", r'no_base.py'),
        ("_base_ = './base.py'\n", r'base.py, line 2: ZeroDivisionError'),
        ("_base_ = ['./plain.py', './middle.py']\n", r'middle.py: KeyError: .*Duplicate key'),
        ("_base_ = './broken.py'\n", r'broken.py, line 3: SyntaxError'),
    ],
)
def test_a_config_that_cannot_be_executed(
    workspace: Workspace, capsys: pytest.CaptureFixture, text: str, message: str
) -> None:
    (workspace.root / 'base.py').write_text('a = 1\nb = a / 0\n')
    (workspace.root / 'plain.py').write_text('a = 1\n')
    (workspace.root / 'same.py').write_text('a = 2\n')
    (workspace.root / 'middle.py').write_text("_base_ = ['./plain.py', './same.py']\n")
    (workspace.root / 'broken.py').write_text("_base_ = './plain.py'\n\nx = = 1\n")
    (workspace.root / 'config.py').write_text(text)
    assert workspace.train(str(workspace.root / 'config.py')) == 1
    assert_matches(f'config: .*{message}', one_error(capsys.readouterr()))


def test_a_config_that_does_not_exist(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    assert workspace.train('no/config.py') == 1
    assert_matches(r'no/config.py does not exist \(relative to /', one_error(capsys.readouterr()))


def test_a_bug_keeps_its_traceback(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from mmdet.models import ResNet

    def broken(*args: Any) -> None:
        raise KeyError('a bug')

    monkeypatch.setattr(ResNet, 'forward', broken)
    with pytest.raises(KeyError, match='a bug'):
        workspace.train(workspace.write(tiny_data.student_config(workspace.data)))


def assert_matches(pattern: str, line: str) -> None:
    import re

    assert re.search(pattern, line), line

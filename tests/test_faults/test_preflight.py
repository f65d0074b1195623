"""A poor teacher is rejected before training."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from eakd_det.errors import ConfigError
from eakd_det.evaluation.detector_evaluation import evaluate_on_validation_data
from eakd_det.hooks import TeacherPreflightHook
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, one_error

Seen = Callable[[object], None]
HOOK = dict(type='eakd_det.TeacherPreflightHook', num_images=2, min_ap=0.2)


def config(workspace: Workspace, teacher: str, hook: dict[str, Any] | None = None, **model: Any) -> Config:
    cfg = tiny_data.distill_config(workspace.data, teacher, iters=2)
    cfg.train_cfg.val_interval = 1000
    cfg.default_hooks.checkpoint.save_best = None
    cfg.custom_hooks = [hook or HOOK]
    cfg.model.update(model)
    return cfg


@pytest.fixture
def detects(monkeypatch: pytest.MonkeyPatch, workspace: Workspace) -> Callable[..., None]:
    """Make detectors predict the ground truth of some validation images, and log the images."""

    def install(*image_ids: int) -> None:
        from mmdet.models import FasterRCNN
        from mmengine.structures import InstanceData

        content = tiny_data.read_annotations(workspace.data, 'val')

        def predict(self: Any, inputs: Any, samples: list[Any], rescale: bool = True) -> list[Any]:
            for sample in samples:
                own = [
                    a for a in content['annotations'] if a['image_id'] == sample.img_id and a['image_id'] in image_ids
                ]
                boxes = torch.tensor([a['bbox'] for a in own], dtype=torch.float32).reshape(-1, 4)
                boxes[:, 2:] += boxes[:, :2]
                labels = torch.tensor([a['category_id'] - 1 for a in own], dtype=torch.long)
                sample.pred_instances = InstanceData(bboxes=boxes, scores=torch.ones(len(own)), labels=labels)
            return samples

        monkeypatch.setattr(FasterRCNN, 'predict', predict)

    return install


@pytest.mark.fault(
    'a teacher checkpoint that fits, of a detector that learned nothing', expected='refused, with its AP'
)
def test_a_bad_teacher(workspace: Workspace, teacher_ckpt: str, capsys: Any, seen: Seen) -> None:
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt))) == 1
    error = one_error(capsys.readouterr())
    assert re.search(r'model.teacher_ckpt: expected a teacher with an AP of at least 0.2 on 2 .* has 0\.0\d\d', error)
    assert not list(workspace.work_dir.glob('*.pth'))
    seen(error.replace(teacher_ckpt, 'teacher.pth'))


@pytest.mark.fault('no prediction at all from the teacher', expected='refused, as AP 0')
def test_a_silent_teacher(workspace: Workspace, teacher_ckpt: str, detects: Any, capsys: Any, seen: Seen) -> None:
    detects()
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt))) == 1
    error = one_error(capsys.readouterr())
    assert 'has 0.000' in error
    seen(error.replace(teacher_ckpt, 'teacher.pth'))


def test_a_good_teacher_trains_and_is_logged(workspace: Workspace, teacher_ckpt: str, detects: Any) -> None:
    """The AP is 1 on the two measured images, the first and the last, though not on the third."""
    detects(1, 3)
    cfg = config(workspace, teacher_ckpt, {**HOOK, 'min_ap': 1.0})
    assert workspace.train(workspace.write(cfg)) == 0
    assert 'Teacher on 2 validation images: AP 1.000' in next(workspace.work_dir.glob('*/*.log')).read_text()
    assert (workspace.work_dir / 'iter_2.pth').is_file()


def test_only_num_images_are_measured(workspace: Workspace, teacher_ckpt: str, detects: Any) -> None:
    detects(1)
    cfg = config(workspace, teacher_ckpt)
    cfg.work_dir = str(workspace.work_dir)
    runner = Runner.from_cfg(cfg)
    some = evaluate_on_validation_data(runner, runner.model.teacher, 'teacher', 1)['coco/bbox_mAP']
    everything = evaluate_on_validation_data(runner, runner.model.teacher, 'teacher')['coco/bbox_mAP']
    assert some == 1.0
    assert everything < 0.9


def test_training_is_unchanged(workspace: Workspace, teacher_ckpt: str, tmp_path: Path) -> None:
    states = []
    for hooks in ([], [{**HOOK, 'min_ap': 0.0}]):
        cfg = config(workspace, teacher_ckpt)
        cfg.custom_hooks = hooks
        assert workspace.train(workspace.write(cfg)) == 0
        states.append(torch.load(workspace.work_dir / 'iter_2.pth', weights_only=True)['state_dict'])
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


CASES: dict[str, tuple[dict[str, Any], str]] = {
    'a teacher without RPN (free_unused)': (
        dict(teacher_options=dict(free_unused=True)),
        'expected a complete teacher, but model.teacher_options.free_unused=True drops its RPN',
    ),
    'a class_map': (
        dict(class_map=[0, 1, 2]),
        'expected a teacher with the classes of the validation data, but model.class_map is set',
    ),
}


@pytest.mark.fault('pre-flight with {case}', expected='one line: the AP cannot be measured')
@pytest.mark.parametrize('case', CASES)
def test_unmeasurable_teacher(workspace: Workspace, teacher_ckpt: str, capsys: Any, seen: Seen, case: str) -> None:
    model, message = CASES[case]
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt, **model))) == 1
    error = one_error(capsys.readouterr())
    assert message in error
    seen(error)


def test_without_a_teacher(workspace: Workspace, capsys: Any) -> None:
    cfg = tiny_data.student_config(workspace.data)
    cfg.custom_hooks = [HOOK]
    assert workspace.train(workspace.write(cfg)) == 1
    assert 'TeacherPreflightHook: expected a model with a teacher, but got FasterRCNN' in one_error(capsys.readouterr())


@pytest.mark.parametrize('arguments', [
    dict(num_images=0), dict(num_images='100'), dict(num_images=True), dict(min_ap=20), dict(min_ap=float('nan')),
])  # fmt: skip
def test_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f'TeacherPreflightHook.{next(iter(arguments))}: expected'):
        TeacherPreflightHook(**arguments)


@pytest.mark.fault('a teacher checkpoint of which {part}', expected='refused, with the counts; nothing trains')
@pytest.mark.parametrize('part', ['nothing matches', 'one key is missing', 'one key is too many'])
def test_strict_teacher_load(workspace: Workspace, teacher_ckpt: str, capsys: Any, seen: Seen, part: str) -> None:
    state = tiny.build(tiny.faster_rcnn()).state_dict()
    if part == 'nothing matches':
        state = {f'encoder.{name}': tensor for name, tensor in state.items()}
    elif part == 'one key is missing':
        del state['neck.fpn_convs.0.conv.weight']
    else:
        state['neck.extra.weight'] = torch.ones(1)
    torch.save(dict(state_dict=state), workspace.root / 'teacher.pth')
    cfg = config(workspace, str(workspace.root / 'teacher.pth'))
    cfg.custom_hooks = []
    assert workspace.train(workspace.write(cfg)) == 1
    error = one_error(capsys.readouterr())
    counts = re.search(r'(\d+) tensors match, (\d+) missing.*?, (\d+) unexpected.*?, (\d+) of another shape', error)
    assert counts
    matched, missing, unexpected, mismatched = map(int, counts.groups())
    total = len(tiny.build(tiny.faster_rcnn()).state_dict())
    assert (matched, missing, unexpected, mismatched) == {
        'nothing matches': (0, total, total, 0),
        'one key is missing': (total - 1, 1, 0, 0),
        'one key is too many': (total, 0, 1, 0),
    }[part]
    assert not list(workspace.work_dir.glob('*.pth'))
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault(
    'no fault: a teacher that fits', expected='matched, missing and unexpected keys are counted in the log'
)
def test_a_load_is_counted_in_the_log(workspace: Workspace, teacher_ckpt: str, seen: Seen) -> None:
    cfg = config(workspace, teacher_ckpt)
    cfg.custom_hooks = []
    assert workspace.train(workspace.write(cfg)) == 0
    total = len(tiny.build(tiny.faster_rcnn()).state_dict())
    lines = [
        line for line in next(workspace.work_dir.glob('*/*.log')).read_text().splitlines() if 'loaded from' in line
    ]
    loaded = next(line for line in lines if 'teacher_ckpt' in line)
    assert f'{total} tensors match, 0 missing, 0 unexpected, 0 of another shape' in loaded
    seen(loaded.split(' - ')[-1].replace(teacher_ckpt, 'teacher.pth'))

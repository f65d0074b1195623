from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eakd_det.evaluation import EvalRecord
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, one_error


def test_a_checkpoint_gives_the_figures_its_validation_gave(
    trained: Workspace, workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture
) -> None:
    predictions = workspace.root / 'predictions.pkl'
    config = workspace.write(tiny_data.student_config(workspace.data))

    assert workspace.test(config, teacher_ckpt, '--out', str(predictions), '--show-dir', 'painted') == 0

    entry = EvalRecord.read(workspace.root / 'tested' / 'eval_record.json').last('student', 'test')
    validated = EvalRecord.read(trained.work_dir / 'eval_record.json').last('student', 'val')
    assert entry.metrics == validated.metrics
    assert entry.checkpoint == teacher_ckpt
    assert entry.iteration is None
    assert '| student |' in capsys.readouterr().out
    assert predictions.stat().st_size > 0
    assert len(list((workspace.root / 'tested').glob('*/painted/*.png'))) == 3


@pytest.mark.parametrize(('name', 'subject'), [('teacher_r18_mine.py', 'teacher'), ('teachers.py', 'student')])
def test_a_teachers_own_config_is_labelled_teacher(
    workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture, name: str, subject: str
) -> None:
    assert workspace.test(workspace.write(tiny_data.student_config(workspace.data), name), teacher_ckpt) == 0
    assert EvalRecord.read(workspace.root / 'tested' / 'eval_record.json').last(subject, 'test') is not None
    assert f'| {subject} |' in capsys.readouterr().out


def test_of_a_distillation_config_the_student_is_tested_without_its_teacher(
    trained: Workspace, workspace: Workspace, teacher_ckpt: str
) -> None:
    config = workspace.write(tiny_data.distill_config(workspace.data, 'no/such/teacher.pth'))
    assert workspace.test(config, teacher_ckpt) == 0
    entry = EvalRecord.read(workspace.root / 'tested' / 'eval_record.json').last('student', 'test')
    assert entry.metrics == EvalRecord.read(trained.work_dir / 'eval_record.json').last().metrics


@pytest.mark.parametrize('named', [True, False])
def test_the_teacher_is_tested_from_its_own_checkpoint(
    trained: Workspace, workspace: Workspace, teacher_ckpt: str, named: bool
) -> None:
    cfg = tiny_data.distill_config(workspace.data, None if named else teacher_ckpt)
    assert workspace.test(workspace.write(cfg), *([teacher_ckpt] if named else []), '--teacher') == 0
    entry = EvalRecord.read(workspace.root / 'tested' / 'eval_record.json').last('teacher', 'test')
    assert entry.checkpoint == teacher_ckpt
    assert entry.metrics == EvalRecord.read(trained.work_dir / 'eval_record.json').last().metrics


def test_mmrazors_own_distillation_config(workspace: Workspace, teacher_ckpt: str) -> None:
    cfg = tiny_data.distill_config(workspace.data, 'no/such/teacher.pth')
    cfg.model = dict(
        type='mmrazor.SingleTeacherDistill',
        architecture=cfg.model.architecture,
        teacher=cfg.model.teacher,
        distiller=dict(type='mmrazor.ConfigurableDistiller'),
    )
    assert workspace.test(workspace.write(cfg), teacher_ckpt) == 0


def test_test_time_augmentation(workspace: Workspace, teacher_ckpt: str) -> None:
    config = workspace.write(tiny_data.student_config(workspace.data))
    assert workspace.test(config, teacher_ckpt, '--tta') == 0


def _no_checkpoint(cfg: Any, checkpoint: str) -> list[str]:
    return ['no/such.pth']


def _truncated(cfg: Any, checkpoint: str) -> list[str]:
    broken = Path(cfg.val_dataloader.dataset.data_root).parent / 'broken.pth'
    broken.write_bytes(Path(checkpoint).read_bytes()[:-1000])
    return [str(broken)]


def _another_architecture(cfg: Any, checkpoint: str) -> list[str]:
    cfg.model = tiny.faster_rcnn(base='mask-rcnn_r50_fpn')
    return [checkpoint]


def _other_classes(cfg: Any, checkpoint: str) -> list[str]:
    root = Path(cfg.test_dataloader.dataset.data_root)
    content = tiny_data.read_annotations(root, 'val')
    content['categories'][1]['name'] = 'plate'
    tiny_data.write_annotations(root, 'val', content)
    cfg.test_dataloader.dataset.metainfo.classes = ('square', 'plate', 'ring')
    return [checkpoint]


def _out_is_no_pickle(cfg: Any, checkpoint: str) -> list[str]:
    return [checkpoint, '--out', 'predictions.json']


def _teacher_of_a_plain_config(cfg: Any, checkpoint: str) -> list[str]:
    return [checkpoint, '--teacher']


def _no_test_data(cfg: Any, checkpoint: str) -> list[str]:
    cfg.test_dataloader = cfg.test_evaluator = None
    return [checkpoint]


def _no_visualization(cfg: Any, checkpoint: str) -> list[str]:
    cfg.default_hooks.pop('visualization')
    return [checkpoint, '--show-dir', 'painted']


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (_no_checkpoint, 'checkpoint: expected a checkpoint file, but no/such.pth does not exist'),
        (_truncated, 'broken.pth is truncated or not a checkpoint'),
        (_another_architecture, 'iter_4.pth does not fit MaskRCNN: '),
        (_other_classes, "classes differ: index 1 is 'plate' in test_dataloader.dataset and 'disc' in checkpoint: "),
        (_out_is_no_pickle, '--out: expected the name of a pickle file'),
        (_teacher_of_a_plain_config, '--teacher: expected a distillation config with model.teacher'),
        (_no_test_data, 'test_dataloader, test_evaluator: testing needs it'),
        (_no_visualization, 'VisualizationHook must be included'),
    ],
)
def test_bad_input_is_one_line(
    workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture, spoil: Any, message: str
) -> None:
    cfg = tiny_data.student_config(workspace.data)
    flags = spoil(cfg, teacher_ckpt)

    assert workspace.test(workspace.write(cfg), *flags) == 1
    assert message in one_error(capsys.readouterr())


def test_a_checkpoint_is_needed_for_a_student(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        workspace.test('config.py')
    assert stop.value.code == 2
    assert 'required: checkpoint' in capsys.readouterr().err


def test_a_teacher_without_any_checkpoint(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    config = workspace.write(tiny_data.distill_config(workspace.data, None))
    assert workspace.test(config, '--teacher') == 1
    assert 'model.teacher_ckpt: expected a checkpoint to test' in one_error(capsys.readouterr())

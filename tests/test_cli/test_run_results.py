"""The comparison that is printed after training."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from eakd_det.cli.run_results import describe_result
from eakd_det.evaluation.record import RECORD_NAME, EvalEntry, EvalRecord

STUDENT = """model = dict(type='FasterRCNN')
optim_wrapper = dict(type='OptimWrapper')
param_scheduler = []
train_cfg = dict(max_iters={iterations})
train_dataloader = dict(batch_size=8)
val_dataloader = dict(dataset=dict(ann_file='{data}'))
work_dir = '{folder}'
"""
PLAIN = "model = dict(type='FasterRCNN')"
DISTILLED = "model = dict(type='ProposalDistill', architecture=dict(type='FasterRCNN'))"


@pytest.fixture
def ran(tmp_path):
    """Leave the files of a run, and return its folder."""

    def leave(name, ap, text=PLAIN, iterations=300, data='val.json', seconds=60.0, first_iteration=0):
        folder = tmp_path / name
        folder.mkdir()
        content = STUDENT.format(iterations=iterations, data=data, folder=folder)
        (folder / 'student.py').write_text(content)
        run = {'mode': 'train', 'config': {'text': text}, 'first_iteration': first_iteration}
        entry = EvalEntry('student', 'val', iterations, 1, {'AP': ap}, '2025-01-01T00:00:00Z', seconds, run=0)
        EvalRecord([run], [entry]).write(folder / RECORD_NAME)
        return folder

    return leave


def described(folder, **model):
    return describe_result(Config(dict(model=dict(architecture={}, **model), work_dir=str(folder))))


def test_student_and_teacher_are_found_and_compared(ran):
    ran('student', 0.30, seconds=60.0)
    teacher = ran('teacher', 0.50, iterations=900)
    line = described(ran('kd', 0.36, DISTILLED, seconds=90.0), teacher_ckpt=str(teacher / 'iter_900.pth'))
    assert 'student without distillation 30.0' in line
    assert 'distilled student 36.0, teacher 50.0' in line
    assert 'Distillation: +6.0' in line
    assert '1.5 minutes (1.50 times the plain student)' in line
    assert '\n' not in line


@pytest.mark.parametrize(
    'other', [dict(iterations=600), dict(data='other.json'), dict(text=DISTILLED)], ids=['budget', 'data', 'distilled']
)
def test_run_that_is_not_comparable_is_not_quoted(ran, other):
    ran('other', 0.30, **other)
    line = described(ran('kd', 0.36, DISTILLED))
    assert 'distilled student 36.0' in line
    assert '30.0' not in line
    assert 'Distillation' not in line


def test_teacher_of_other_validation_data_is_not_quoted(ran):
    teacher = ran('teacher', 0.50, data='other.json')
    assert 'teacher' not in described(ran('kd', 0.36, DISTILLED), teacher_ckpt=str(teacher / 'iter_300.pth'))


def test_time_of_a_resumed_run_is_not_compared(ran):
    ran('student', 0.30)
    assert 'minutes' not in described(ran('kd', 0.36, DISTILLED, first_iteration=100))


def test_plain_run_prints_its_own_result(ran):
    folder = ran('student', 0.30)
    line = describe_result(Config(dict(model=dict(type='FasterRCNN'), work_dir=str(folder))))
    assert 'without distillation 30.0' in line


def test_unvalidated_run_prints_nothing(tmp_path):
    assert described(tmp_path) == ''


def test_config_of_another_run_is_not_executed(ran, tmp_path):
    other = ran('student', 0.30)
    with (other / 'student.py').open('a') as file:
        file.write(f'open({str(tmp_path / "executed")!r}, "w")\n')
    assert 'without distillation 30.0' in described(ran('kd', 0.36, DISTILLED))
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize(('teacher_ap', 'said'), [(0.28, True), (0.50, False)])
def test_teacher_that_is_worse_than_the_plain_student_is_named(ran, teacher_ap, said):
    ran('student', 0.30)
    teacher = ran('teacher', teacher_ap, iterations=900)
    line = described(ran('kd', 0.36, DISTILLED), teacher_ckpt=str(teacher / 'iter_900.pth'))
    assert ('teacher is not above the plain student' in line) == said

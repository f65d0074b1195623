"""Who is the student, who the teacher, which steps follow, and what happens to a step."""

from __future__ import annotations

import json
import sys

import pytest
from mmengine.config import Config

from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config, read_config
from eakd_det.errors import ConfigError
from eakd_det.models.model_config import set_num_classes
from eakd_det.onecall import distilling, students
from eakd_det.onecall.command import main, parse_arguments
from eakd_det.onecall.configs import complete_configs
from eakd_det.onecall.options import split_options
from eakd_det.onecall.result import remarks
from eakd_det.onecall.running import Cost, ProgressLine, run_step
from eakd_det.onecall.state import NAME, State
from eakd_det.onecall.steps import Step, steps
from eakd_det.onecall.students import choose_student, named_students
from eakd_det.onecall.teachers import Teacher, find_teacher
from eakd_det.paths import configs_dir

NAMES = list(named_students())


def plan(tmp_path, name='faster-rcnn_r18w16', **arguments):
    return steps(named_students()[name], tmp_path, {'data_root': 'data'}, **arguments)


def test_steps_pass_the_teacher_and_its_labels_on(tmp_path):
    teacher, student, labels, distilled = plan(tmp_path, unlabeled='photos')
    assert [each.name for each in (teacher, student, labels, distilled)] == [
        'teacher',
        'student',
        'labels',
        'distilled',
    ]
    assert labels.command[2] == 'photos'
    for step in (labels, distilled):
        assert f'model.teacher_ckpt={tmp_path / "teacher" / "student.pth"}' in step.command
    assert {f'teacher_labels={labels.result}', 'teacher_images=photos'} <= set(distilled.command)


def test_a_trained_teacher_is_not_trained_again(tmp_path):
    (distilled,) = plan(tmp_path, teacher='t.pth', plain=False)
    assert 'model.teacher_ckpt=t.pth' in distilled.command


@pytest.mark.parametrize('name', NAMES)
def test_configs_of_every_named_student_load(name, tmp_path):
    for step in plan(tmp_path, name):
        cfg = load_config(parse_train_arguments([*step.command[1:], 'train_cfg.max_iters=7']))
        assert cfg.train_cfg.max_iters == 7
        assert cfg.data_root == 'data'


def test_the_default_method_inherits(tmp_path):
    distilled = load_config(parse_train_arguments(plan(tmp_path)[-1].command[1:]))
    assert distilled.model.inherit == ['backbone', 'neck', 'rpn_head', 'roi_head']


@pytest.mark.parametrize('name', NAMES)
def test_the_plain_student_has_the_same_budget_and_views(name):
    student = named_students()[name]
    plain, distilled = read_config(student.student), read_config(f'{student.pair}+{student.method}')
    assert distilled.model.architecture == plain.model
    for key in ('train_cfg', 'train_dataloader', 'param_scheduler', 'optim_wrapper'):
        assert distilled[key] == plain[key]
    assert 'inherit' in distilled.model or distilled.get('load_from') == plain.get('load_from')


@pytest.mark.parametrize(('gpu', 'name'), [(False, 'faster-rcnn_r18w16'), (True, 'faster-rcnn_mv2')])
def test_the_default_fits_the_machine(monkeypatch, gpu, name):
    monkeypatch.setattr(students.torch.cuda, 'is_available', lambda: gpu)
    student, remark = choose_student(None)
    assert student.name == name
    assert name in remark


SIZES = {
    'faster-rcnn_r18w16': (1.5, 30.0),
    'gfl_r18w16': (1.1, 20.0),
    'rtmdet_w12': (0.6, 15.0),
    'faster-rcnn_mv2': (18.0, 400.0),
    'rtmdet-tiny': (4.9, 90.0),
}


@pytest.mark.parametrize(
    ('gpu', 'size', 'name'),
    [
        (False, '1M', 'rtmdet_w12'),
        (False, '25 ms', 'gfl_r18w16'),
        (False, '5M', 'faster-rcnn_r18w16'),  # the larger ones are not for training on a CPU
        (True, '5M', 'rtmdet-tiny'),
        (True, '1000ms', 'faster-rcnn_mv2'),
    ],
)
def test_a_size_chooses_the_largest_that_fits(monkeypatch, gpu, size, name):
    monkeypatch.setattr(students.torch.cuda, 'is_available', lambda: gpu)
    monkeypatch.setattr(students, 'measure', lambda student: SIZES[student.name])
    student, remark = choose_student(size)
    assert student.name == name
    size = size.replace(' ', '')
    assert remark.startswith(f'student: {name}, the largest within {size} (faster-rcnn_r18w16 1.5M 30ms, ')
    with pytest.raises(ConfigError, match='none is within'):
        choose_student('0.5M')


def test_a_students_size_is_measured():
    millions, milliseconds = students.measure(named_students()['faster-rcnn_r18w16'])
    assert 0.5 < millions < 2
    assert milliseconds > 0


def test_configs_and_pairs_are_students():
    pair = str(configs_dir() / 'pairs/r18w32-r18w16_custom-small.py')
    assert choose_student(f'{pair}+pkd')[0].method == 'pkd'
    assert choose_student(pair)[0].pair == pair
    plain = str(configs_dir() / 'dense/student_gfl_r18w16_fpn_custom-small.py')
    student, _ = choose_student(plain)
    assert student.student == plain
    assert student.teacher == named_students()['gfl_r18w16'].teacher  # of the same kind


@pytest.mark.parametrize('name', ['resnet', '', 'no/such.py', '5MB'])
def test_unknown_students_are_one_line(name):
    with pytest.raises(ConfigError, match=r'^student: expected one of faster-rcnn_r18w16, '):
        choose_student(name)


def test_teachers(tmp_path):
    assert find_teacher(None) is None
    assert find_teacher('https://example.org/t.pth') == Teacher('https://example.org/t.pth')
    zoo = find_teacher('faster-rcnn_r50_fpn_1x_coco')
    assert zoo.fine_tune
    assert zoo.checkpoint.endswith('.pth')
    assert zoo.model['type'] == 'FasterRCNN'
    (tmp_path / 'student.pth').write_bytes(b'0')
    assert find_teacher(str(tmp_path)).model is None
    Config(dict(model=dict(type='GFL'))).dump(str(tmp_path / 'student.py'))
    assert find_teacher(str(tmp_path)).model == dict(type='GFL')
    with pytest.raises(ConfigError, match=r'^teacher: expected a checkpoint'):
        find_teacher('no/such.pth')


def test_another_teacher_makes_a_pair_of_its_own(tmp_path):
    student = named_students()['gfl_r18w16']
    other = read_config(named_students()['faster-rcnn_r18w16'].teacher).model.to_dict()
    made = complete_configs(student, Teacher('t.pth', other), tmp_path)
    cfg = read_config(f'{made.pair}+{made.method}')
    assert cfg.model.teacher.type == 'FasterRCNN'
    assert cfg.model.architecture.type == 'GFL'
    assert cfg.model.distiller.distill_losses


@pytest.mark.parametrize('name', ['faster-rcnn_r18w16', 'rtmdet_w12'])
def test_the_pairs_own_teacher_changes_nothing(tmp_path, name):
    student = named_students()[name]
    own = read_config(str(student.teacher)).model.to_dict()
    set_num_classes(own, 3)
    assert complete_configs(student, Teacher('t.pth', own), tmp_path) == student


def test_a_config_of_ones_own_gets_the_teacher_of_its_kind(tmp_path):
    student, _ = choose_student(str(configs_dir() / 'custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'))
    made = complete_configs(student, None, tmp_path)
    cfg = read_config(f'{made.pair}+{made.method}')
    assert cfg.model.teacher.backbone.base_channels == 32
    assert cfg.model.architecture.backbone.base_channels == 16


def test_a_model_of_the_zoo_is_fine_tuned(tmp_path):
    made = complete_configs(
        named_students()['faster-rcnn_r18w16'], find_teacher('faster-rcnn_r50_fpn_1x_coco'), tmp_path
    )
    cfg = read_config(made.teacher)
    assert cfg.model.backbone.depth == 50
    assert cfg.load_from.startswith('https://')
    assert read_config(made.pair).model.teacher.backbone.depth == 50


def script(tmp_path, text):
    (tmp_path / 'step.py').write_text(text)
    return Step('student', [str(tmp_path / 'step.py')], tmp_path / 'student' / 'student.pth')


def test_a_step_shows_its_progress_and_keeps_its_output(tmp_path, capsys):
    line = "print('x - INFO - Iter(train) [ 50/300]  lr: 1e-03  eta: 0:01:20  time: 0.3  loss: 1.5')"
    cost = run_step(script(tmp_path, line), tmp_path / 'log', ProgressLine(sys.stdout), '[1/2] student')
    assert 'Iter(train)' in (tmp_path / 'log').read_text()
    assert cost.memory_mib
    assert '[1/2] student: starting' in capsys.readouterr().out


def test_a_warning_about_the_data_is_shown_once(tmp_path, capsys):
    remark = 'train_dataloader.dataset.ann_file: a.json has small objects'
    step = script(
        tmp_path,
        f"print('07:00 - mmengine - WARNING - {remark}\\n07:00 - mmengine - WARNING - other\\nWarning: 1 photo')",
    )
    line = ProgressLine(sys.stdout)
    for _ in range(2):
        run_step(step, tmp_path / 'log', line, '[1/2] student')
    shown = capsys.readouterr().out
    assert shown.count(f'Warning: {remark}') == 1
    assert shown.count('Warning: 1 photo') == 1
    assert 'other' not in shown


def test_a_failed_step_is_the_one_line_that_it_printed(tmp_path):
    step = script(tmp_path, "import sys; print('Error: data_root: no', file=sys.stderr); sys.exit(1)")
    with pytest.raises(ConfigError, match=r'^student: data_root: no$'):
        run_step(step, tmp_path / 'log', ProgressLine(), 'title')
    with pytest.raises(ConfigError, match=r'^student: status 1, see .*log$'):
        run_step(script(tmp_path, 'raise ValueError'), tmp_path / 'log', ProgressLine(), 'title')


def test_a_folder_continues_with_the_same_settings_only(tmp_path):
    state = State.of(tmp_path, dict(data=tmp_path, teacher=None, plain=True))
    step = Step('teacher', [], tmp_path / 'teacher.pth')
    state.keep(step, Cost(61.0, 700))
    assert not state.has(step)  # the file is gone
    step.result.write_bytes(b'0')
    again = State.of(tmp_path, dict(data=tmp_path, plain=False))
    assert again.has(step)
    assert again.costs('teacher') == dict(seconds=61.0, memory_mib=700)
    assert State.of(tmp_path, dict(data=tmp_path, student='5M'))  # nothing was trained yet
    State.of(tmp_path, dict(data=tmp_path)).choose('rtmdet_w12')
    assert State.of(tmp_path, dict(data=tmp_path)).student is None  # nor chosen for good
    State.of(tmp_path, dict(data=tmp_path)).choose('gfl_r18w16')
    (tmp_path / 'student').mkdir()
    assert State.of(tmp_path, dict(data=tmp_path)).student == 'gfl_r18w16'
    with pytest.raises(ConfigError, match=r'^out: .*other settings \(data, student\)'):
        State.of(tmp_path, dict(data=tmp_path / 'other', student='5M'))


def test_options_are_written_as_the_command_line_takes_them():
    own, shared = split_options({'plain': False, 'classes': ('cat', 'dog'), 'train_cfg.max_iters': 3})
    assert own == {'plain': False}
    assert shared == {'classes': '[cat,dog]', 'train_cfg.max_iters': '3'}
    assert split_options({'train_cfg': {'max_iters': 3}})[1] == {'train_cfg.max_iters': '3'}
    with pytest.raises(ConfigError, match=r"^options\.plain: expected a bool, but got 'no'"):
        split_options({'plain': 'no'})


def test_missing_folder_is_an_error_of_one_line(capsys):
    assert main(['no/such/folder']) == 1
    assert capsys.readouterr().err == 'Error: data: expected a folder, but no/such/folder is not one\n'


def test_former_options_are_still_accepted():
    args = parse_arguments(['data', '--size', 'small', '--photos', 'p', '--work-dir', 'w', '--plain'])
    assert (args.size, args.unlabeled, args.out, args.plain) == ('small', 'p', 'w', True)


def test_one_call(tmp_path, monkeypatch, capsys):
    """What the steps are asked to do; the steps themselves have their own tests."""
    (tmp_path / 'data').mkdir()
    ran = []

    def run(step, log, line, title):
        ran.append(step.name)
        if len(ran) == 2:
            raise ConfigError('student: stopped')
        step.result.parent.mkdir(parents=True, exist_ok=True)
        step.result.write_bytes(b'0')
        return Cost(1.0, 1)

    monkeypatch.setattr(distilling, 'run_step', run)
    for _ in range(2):
        with pytest.raises(ConfigError, match='stopped'):
            distilling.distill(tmp_path / 'data', out=tmp_path / 'out', student='gfl_r18w16')
        ran = ran[:1]
    assert 'teacher: done before' in capsys.readouterr().out
    assert json.loads((tmp_path / 'out' / NAME).read_text())['finished'] == {'teacher': dict(seconds=1.0, memory_mib=1)}


@pytest.mark.parametrize(('teacher', 'said'), [(0.4, False), (0.3, True), (0.2, True), (None, False)])
def test_a_teacher_that_is_no_better_than_the_plain_student_is_remarked(teacher, said):
    figures = {'teacher': {'AP': teacher}, 'student': {'AP': 0.3}, 'distilled': {'AP': 0.3}}
    assert ('teacher is not above' in remarks(figures)) == said
    assert 'teacher is not above' not in remarks({'teacher': {'AP': teacher}, 'distilled': {'AP': 0.3}})

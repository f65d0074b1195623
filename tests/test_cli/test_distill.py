"""From a folder of data to a distilled student in one command."""

from __future__ import annotations

import pytest

from eakd_det.cli import distill
from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config


def parsed(*argv):
    return distill._parse_arguments(['data', '--work-dir', 'work', *argv])


def test_steps_pass_the_teacher_and_its_labels_on():
    teacher, student, label, distilled = distill.steps(parsed('--size', 'small', '--plain', '--photos', 'photos'))
    assert 'work/teacher' in teacher
    assert 'work/student' in student
    assert label[2] == 'photos'
    for command in (label, distilled):
        assert 'model.teacher_ckpt=work/teacher/student.pth' in command
    assert {'teacher_labels=work/teacher_labels.json', 'teacher_images=photos'} <= set(distilled)


def test_without_options_there_are_teacher_and_student():
    assert len(distill.steps(parsed())) == 2


@pytest.mark.parametrize('size', ['gpu', 'small'])
def test_configs_of_the_steps_load(size, monkeypatch):
    monkeypatch.setattr(distill.torch.cuda, 'is_available', lambda: False)
    for command in distill.steps(parsed('--size', size, '--plain', '--cfg-options', 'train_cfg.max_iters=7')):
        cfg = load_config(parse_train_arguments(command[1:]))
        assert cfg.train_cfg.max_iters == 7
        assert cfg.data_root == 'data'


def test_method_inherits_and_leaves_the_student_as_it_is():
    args = parsed('--size', 'small', '--plain')
    _, plain, distilled = (load_config(parse_train_arguments(command[1:])) for command in distill.steps(args))
    assert distilled.model.inherit == ['backbone', 'neck', 'rpn_head', 'roi_head']
    assert distilled.model.architecture == plain.model
    for key in ('train_cfg', 'train_dataloader', 'param_scheduler', 'optim_wrapper'):
        assert distilled[key] == plain[key]


def test_missing_folder_is_an_error_of_one_line(capsys):
    assert distill.main(['no/such/folder']) == 1
    assert 'data: expected a folder' in capsys.readouterr().err


def test_failed_step_ends_the_command(tmp_path, monkeypatch):
    ran = []

    class Failed:
        returncode = 3

    monkeypatch.setattr(distill.subprocess, 'run', lambda command, **_: (ran.append(command), Failed)[1])
    with pytest.raises(SystemExit) as end:
        distill.main([str(tmp_path), '--work-dir', str(tmp_path / 'work')])
    assert end.value.code == 3
    assert len(ran) == 1


def test_other_data_does_not_continue_a_run(tmp_path, monkeypatch, capsys):
    class Finished:
        returncode = 0

    monkeypatch.setattr(distill.subprocess, 'run', lambda *_, **__: Finished)
    for name in 'ab':
        (tmp_path / name).mkdir()
    assert distill.main([str(tmp_path / 'a'), '--work-dir', str(tmp_path / 'work')]) == 0
    assert distill.main([str(tmp_path / 'a'), '--work-dir', str(tmp_path / 'work'), '--plain']) == 0
    assert distill.main([str(tmp_path / 'b'), '--work-dir', str(tmp_path / 'work')]) == 1
    assert 'other settings (data)' in capsys.readouterr().err

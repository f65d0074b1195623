from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config, read_config
from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.plan import Arm
from eakd_det.lab.experiment.plan_file import read_plan
from eakd_det.lab.experiment.runs import format_options, prepare_runs, write_config
from eakd_det.models import stock_student_config

STUDIES = Path(__file__).parents[3] / 'configs' / 'studies'


def test_arms_differ_in_what_they_say_and_nothing_else(grid):
    plan = read_plan(grid.plan)
    kd, ea = (prepare_runs(plan.arm(name), (0, 1), grid.work_dir / name, {}, None) for name in ('kd', 'ea-kd'))
    first, second = kd[0].cfg.to_dict(), ea[0].cfg.to_dict()
    assert first.pop('work_dir') != second.pop('work_dir')
    assert first.pop('model') != second.pop('model')
    assert first == second
    assert [run.cfg.randomness.seed for run in kd] == [0, 1]
    assert len({run.fingerprint for run in kd + ea}) == 4


def test_the_command_trains_what_the_run_trains(grid):
    """Typed by hand, it leads to the same config."""
    arm = Arm('x', 'x', grid.root / 'ea-kd.py', {'model.distiller.distill_losses.loss_kd.weighting.normalize': True})
    options = {'train_cfg.max_iters': 3, 'train_dataloader.dataset.metainfo.classes': ('square', 'disc', 'ring')}
    (run,) = prepare_runs(arm, (5,), grid.work_dir, options, 'teacher.pth')
    script, *argv = shlex.split(run.command)[1:]
    assert script == 'tools/train.py'
    typed = load_config(parse_train_arguments([*argv, '--work-dir', str(run.folder)]))
    assert Config(typed.to_dict()).to_dict() == run.cfg.to_dict()
    assert typed.model.teacher_ckpt == 'teacher.pth'


def test_an_error_names_the_arm(grid):
    arm = Arm('odd', 'odd', grid.root / 'ea-kd.py', {'modle.x': 1})
    with pytest.raises(ConfigError, match=r'^odd: .*modle'):
        prepare_runs(arm, (0,), grid.work_dir, {}, None)


def test_the_written_config_has_the_hooks_once_and_divides_the_batch(grid):
    (run,) = prepare_runs(read_plan(grid.plan).arm('ea-kd'), (0,), grid.work_dir, {}, None)
    run.folder.mkdir(parents=True)
    cfg = Config.fromfile(write_config(run, processes=2))
    assert [hook.type for hook in cfg.custom_hooks].count('eakd_det.CocoEvalHook') == 1
    assert {'eakd_det.StartHook', 'eakd_det.WatchHook'} < {hook.type for hook in cfg.custom_hooks}
    assert cfg.train_dataloader.batch_size == 1
    with pytest.raises(ConfigError, match='--processes'):
        write_config(run, processes=3)


def test_options_are_quoted_for_a_shell():
    text = format_options({'a.b': 'two words', 'c': ('x', 'y'), 'd': None})
    assert shlex.split(text) == ['a.b=two words', 'c=(x,y)', 'd=None']


@pytest.mark.parametrize('path', sorted(STUDIES.glob('coco_*.py')), ids=lambda path: path.stem)
def test_arms_of_the_coco_studies_share_all_but_the_distillation(path, tmp_path):
    plan = read_plan(path)
    settings, students = [], []
    for arm in plan.arms:
        cfg = read_config(str(arm.config))
        cfg.merge_from_dict(dict(arm.options))
        students.append(stock_student_config(cfg).model.to_dict())
        settings.append({key: value for key, value in cfg.to_dict().items() if key != 'model'})
    assert all(other == settings[0] for other in settings)
    assert all(other == students[0] for other in students)

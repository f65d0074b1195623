from __future__ import annotations

from pathlib import Path

import pytest

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.arguments import command_line, parse_arguments, plan_of, settings_of
from eakd_det.lab.experiment.plan_file import read_plan


def test_a_plan_file(grid):
    plan = read_plan(grid.plan)
    assert [arm.name for arm in plan.arms] == ['student', 'kd', 'ea-kd']
    assert (plan.student, plan.control, plan.seeds, plan.teacher.seed) == ('student', 'kd', (0,), 7)
    assert all(arm.config.is_file() for arm in plan.arms)
    assert plan.arm('kd').title == 'KD'


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        (dict(sedes=[0]), 'sedes'),
        (dict(arms={'kd': dict(config='no.py')}), 'arms.kd.config'),
        (dict(arms={'kd': dict(config='ea-kd.py', cfg_options={})}), 'arms.kd'),
        (dict(questions={'Why?': ('kd', 'pkd')}), "questions['Why?']"),
        (dict(questions={'Why?': 'kd'}), 'questions'),
        (dict(sweeps={'beta': ('kd', 'pkd')}), "sweeps['beta']"),
        (dict(sweeps={'beta': ('kd',)}), 'sweeps: expected a dict of two arms or more'),
        (dict(arms={}), 'arms'),
        (dict(seeds=[0, 0]), '[0] more than once'),
        (dict(seeds=[-1]), 'seeds'),
        (dict(control='pkd'), 'control'),
        (dict(published='r101-r50'), 'published'),
        (dict(teacher=dict(config='no.py')), 'teacher.config'),
        (dict(teacher=dict(seed=-1)), 'teacher.seed'),
        (dict(seeds=3), 'seeds: expected a list'),
        (dict(title=3), 'title: expected a string'),
        (dict(arms={'kd': dict(config='ea-kd.py', options='x')}), 'arms.kd.options: expected a dict'),
        (dict(arms={'kd': dict(title='KD')}), 'arms.kd.config'),
    ],
)
def test_what_cannot_work_is_said_in_one_line(grid, changes, said):
    grid.write_plan(**changes)
    with pytest.raises(ConfigError) as error:
        read_plan(grid.plan)
    assert said in str(error.value)
    assert '\n' not in str(error.value)


def test_names_with_an_underscore_belong_to_the_file(grid):
    grid.write_plan(_pair='../pairs/r18w32-r18w16_demo.py')
    assert [arm.name for arm in read_plan(grid.plan).arms] == ['student', 'kd', 'ea-kd']


def test_a_plan_from_the_command_line():
    folder = Path('configs/demo')
    configs = [
        folder / 'student_faster-rcnn_r18w16_fpn_demo.py',
        folder / 'ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py',
    ]
    args = parse_arguments(['--configs', *map(str, configs), '--seeds', '0', '1', '--teacher', 'teacher.pth'])
    plan = plan_of(args)
    assert [arm.name for arm in plan.arms] == ['student', 'ea-kd']
    assert (plan.student, plan.control) == ('student', None)
    assert (plan.teacher.checkpoint, plan.teacher.config) == ('teacher.pth', None)
    assert plan_of(parse_arguments(command_line(args, plan).split()[2:])) == plan


def test_the_command_of_a_row_reads_back(grid):
    args = grid.arguments('--seeds', '3', '4', '--cfg-options', 'train_cfg.max_iters=7')
    again = parse_arguments(command_line(args, plan_of(args), 'ea-kd').split()[2:])
    assert (again.arms, again.seeds, again.cfg_options) == (['ea-kd'], [3, 4], {'train_cfg.max_iters': 7})
    assert (again.plan, again.work_dir) == (args.plan, args.work_dir)


def test_gpus_are_shared_out():
    settings = settings_of(parse_arguments(['p.py', '--gpus', '0', '1', '2', '3', '--processes', '2']))
    assert (settings.jobs, settings.processes) == (2, 2)
    with pytest.raises(ConfigError, match='--jobs: expected at most 2'):
        settings_of(parse_arguments(['p.py', '--gpus', '0', '1', '--jobs', '3']))
    with pytest.raises(ConfigError, match='--jobs: expected a whole number of at least 1'):
        settings_of(parse_arguments(['p.py', '--jobs', '0']))


@pytest.mark.parametrize('argv', [[], ['plan.py', '--configs', 'a.py'], ['plan.py', '--teacher', 'a.pth']])
def test_either_a_plan_or_configs(argv):
    with pytest.raises(SystemExit):
        parse_arguments(argv)


@pytest.mark.parametrize(
    'path', sorted((Path(__file__).parents[3] / 'configs' / 'studies').glob('*.py')), ids=lambda path: path.stem
)
def test_the_studies_in_the_repository_can_be_read(path):
    plan = read_plan(path)
    assert plan.student == 'student'
    assert plan.control is not None
    assert len({arm.title for arm in plan.arms}) == len(plan.arms)

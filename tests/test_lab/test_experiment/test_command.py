"""The tool as a whole: tiny detectors, real trainings in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.arguments import parse_arguments, recall, remember
from eakd_det.lab.experiment.command import main
from eakd_det.paths import configs_dir, tools_dir
from tests import tiny_data


def start(grid, *flags: str) -> subprocess.Popen:
    command = [sys.executable, str(tools_dir() / 'experiment.py'), str(grid.plan), '--work-dir', str(grid.work_dir)]
    environment = {**os.environ, 'PYTHONUNBUFFERED': '1'}
    return subprocess.Popen(
        [*command, '--threads', '1', *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def iteration(folder: Path) -> int:
    try:
        return json.loads((folder / 'progress.json').read_text())['iteration']
    except (OSError, ValueError):
        return 0


def wait_until_trained_to(folder: Path, count: int, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while iteration(folder) < count:
        assert time.monotonic() < deadline, 'it does not train'
        time.sleep(0.1)


def weights(folder: Path) -> dict:
    return torch.load(folder / 'iter_60.pth', weights_only=True)['state_dict']


def test_nothing_run_yet_shows_as_missing_with_the_published_numbers(tmp_path, capsys):
    """The COCO study, on a stand-in for COCO: the configs, the table and its numbers fit together."""
    data = tiny_data.make_coco(tmp_path / 'coco')
    names = Config.fromfile(configs_dir() / 'r101_r18' / 'student_faster-rcnn_r18_fpn_ms-1x_coco.py')
    options = ['train_ann=instances_train.json', 'val_ann=instances_val.json', 'train_images=train/', 'val_images=val/']
    assert names.data_root == 'data/coco/'
    study = configs_dir() / 'studies' / 'coco_r101-r18.py'
    argv = [str(study), '--report', '--work-dir', str(tmp_path / 'out'), '--cfg-options', f'data_root={data}', *options]
    assert main(argv) == 1
    captured = capsys.readouterr()
    assert "| EA-KD (T'=3) | - | - | - |" in captured.out
    assert '| 0 of 1: 1 missing | 34.78 / 56.14 / 37.19 |' in captured.out
    assert captured.err.startswith('Error: 6 of 6 runs are not finished; the first: student, seed 0 (missing)')
    assert captured.err.count('\n') == 1


def test_a_users_error_is_one_line(grid, capsys):
    assert main([str(grid.plan), '--arms', 'pkd', '--work-dir', str(grid.work_dir)]) == 1
    assert capsys.readouterr().err == "Error: --arms: expected some of student, kd, ea-kd, but got 'pkd'\n"


def test_arms_are_checked_before_anything_is_trained(grid, capsys):
    arms = Config.fromfile(grid.plan).arms.to_dict()
    arms['ea-kd']['options'] = {'model.teacher_ckpt': 'no/such.pth'}
    grid.write_plan(arms=arms, teacher=None)
    assert main([str(grid.plan), '--work-dir', str(grid.work_dir)]) == 1
    error = capsys.readouterr().err
    assert error.startswith('Error: ea-kd: model.teacher_ckpt: expected a checkpoint file, but no/such.pth does not')
    assert not (grid.work_dir / 'runs').exists()


def test_a_work_folder_is_enough_for_a_report(grid, capsys):
    grid.write_plan(teacher=None)
    args = grid.arguments('--seeds', '0', '1', '--cfg-options', 'train_cfg.max_iters=3')
    remember(args, grid.work_dir)
    alone = parse_arguments(['--work-dir', str(grid.work_dir), '--report'])
    assert (recall(alone).plan, recall(alone).seeds, recall(alone).cfg_options) == (
        grid.plan,
        [0, 1],
        {'train_cfg.max_iters': 3},
    )
    assert main(['--work-dir', str(grid.work_dir), '--report']) == 1
    captured = capsys.readouterr()
    assert 'Not run: student, KD, EA-KD.' in captured.out
    assert '6 of 6 runs are not finished' in captured.err
    assert main(['--work-dir', str(grid.root / 'other'), '--report']) == 1
    assert capsys.readouterr().err.startswith('Error: --work-dir: expected the folder of an experiment')


def test_runs_of_an_earlier_report_count_if_nothing_has_changed(grid, capsys):
    grid.write_plan(teacher=None)
    earlier = grid.root / 'earlier.json'
    command = [str(grid.plan), '--report', '--work-dir', str(grid.work_dir)]
    main(command)
    runs = json.loads((grid.work_dir / 'report.json').read_text())['runs']
    assert runs[0]['arm'] == 'teacher'
    runs[0].update(status='finished', metrics=dict(AP=0.1))
    runs[1].update(status='finished', metrics=dict(AP=0.25))
    runs[2].update(status='failed', metrics=dict(AP=0.5))
    runs[3].update(status='finished', metrics=dict(AP=0.75), fingerprint='of another config')
    earlier.write_text(json.dumps(dict(runs=runs)))
    main([*command, '--reuse', str(earlier)])
    main(command)  # they are kept
    found = json.loads((grid.work_dir / 'report.json').read_text())['runs']
    assert {run['arm'] for run in found if run['status'] == 'finished'} == {runs[1]['arm']}
    assert [run['metrics'] for run in found if run['metrics']] == [dict(AP=0.25)]
    capsys.readouterr()
    assert main([*command, '--reuse', str(grid.plan)]) == 1
    assert capsys.readouterr().err.startswith('Error: --reuse: expected the report.json of an experiment')


@pytest.mark.slow
class TestGrid:
    def test_from_nothing_to_a_report_and_again(self, grid):
        report, screen = grid.run()
        assert report['same_start'] == dict(same=True, seeds=1, batches=2, warnings=[])
        assert [arm['runs'] for arm in report['arms']] == [dict(planned=1, finished=1)] * 3
        assert report['teacher']['status'] == 'finished'
        assert 'ea-kd, seed 0' in screen
        assert {path.name for path in grid.work_dir.iterdir()} >= {'report.md', 'report.json', 'report.html'}

        before = {path: path.stat().st_mtime_ns for path in grid.work_dir.rglob('*.pth')}
        again, screen = grid.run('--report')
        assert {path: path.stat().st_mtime_ns for path in grid.work_dir.rglob('*.pth')} == before
        assert again['arms'] == report['arms']

        picture = grid.root / 'data' / 'train' / '1.png'
        Image.open(picture).save(picture, format='PCX')  # OpenCV cannot read it: the next seed fails, and says so
        with pytest.raises(ConfigError, match='3 of 6 runs are not finished'):
            grid.run('--seeds', '0', '1')
        text = (grid.work_dir / 'report.md').read_text()
        assert text.count('1 of 2: 1 failed') == 3
        assert 'student, seed 1: failed: exit status 1: ' in text

    def test_killed_anywhere_it_ends_with_the_weights_of_an_undisturbed_run(self, grid):
        student = tiny_data.student_config(grid.data, iters=60)
        student.train_cfg.val_interval = 60
        student.default_hooks.checkpoint.interval = 5
        tiny_data.dump(student, grid.root / 'student.py')
        grid.write_plan(arms={'student': dict(config='student.py')}, control=None, teacher=None)
        folder = grid.work_dir / 'runs' / 'student' / 'seed-0'

        process = start(grid)
        wait_until_trained_to(folder, 10)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130, output
        assert 'the same command continues' in output
        stopped_at = iteration(folder)
        assert stopped_at < 60

        process = start(grid)
        wait_until_trained_to(folder, stopped_at + 5)
        process.kill()  # its run lives on
        process.communicate()
        report, _ = grid.run()
        assert report['arms'][0]['runs'] == dict(planned=1, finished=1)
        assert report['setting']['resumed'] == ['student, seed 0']

        disturbed = weights(folder)
        grid.work_dir = grid.root / 'undisturbed'
        grid.run()
        straight = weights(grid.work_dir / 'runs' / 'student' / 'seed-0')
        assert all(torch.equal(disturbed[name], value) for name, value in straight.items())

    def test_a_given_teacher_is_evaluated_and_two_processes_share_a_run(self, grid):
        grid.run('--arms', 'student')
        checkpoint = next((grid.work_dir / 'teacher').rglob('iter_2.pth'))
        plan = Config.fromfile(grid.plan)
        grid.write_plan(
            teacher=dict(checkpoint=str(checkpoint)), arms={'ea-kd': plan.arms['ea-kd'].to_dict()}, control=None
        )
        grid.work_dir = grid.root / 'second'
        report, _ = grid.run('--processes', '2')
        assert report['teacher']['status'] == 'finished'
        assert '--teacher --cfg-options' in report['teacher']['command']
        assert report['setting']['processes'] == [2]
        assert report['arms'][0]['runs'] == dict(planned=1, finished=1)

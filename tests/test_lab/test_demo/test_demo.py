"""The demo from end to end, with a few steps of everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmdet.apis import init_detector
from PIL import Image

from eakd_det.lab.demo.command import main, parse_arguments
from eakd_det.lab.demo.plan import STUDENT_CONFIG, TITLES

ROOT = Path(__file__).parents[3]


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / 'tools' / 'demo.py'), '--quick', '--work-dir', str(folder), *options]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env=environment)


def stage(folder: Path, name: str) -> Path:
    return (folder if name == 'teacher' else folder / 'runs') / name / 'seed-0'


def test_defaults():
    args = parse_arguments([])
    assert (args.work_dir, args.seed, args.quick, args.fresh) == (Path('work_dirs/demo'), 0, False, False)


def test_folder_of_something_else_is_one_line_and_status_1(tmp_path, capsys):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'thesis.tex').write_text('precious')
    assert main(ROOT / 'configs' / 'demo', ['--quick', '--work-dir', str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith('Error: root: expected a new or empty folder')
    assert error.count('\n') == 1


@pytest.mark.slow
def test_the_packaged_teacher_is_tested_and_not_trained(tmp_path):
    run = demo(tmp_path / 'demo', '--teacher', 'packaged')
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / 'demo/demo.json').read_text())
    assert record['command'].endswith('--quick --teacher packaged')
    teacher, *students = record['results']
    assert (teacher['name'], teacher['iterations']) == ('teacher', None)
    assert teacher['metrics']['AP'] > 0.1
    assert [student['iterations'] for student in students] == [4, 4]
    assert (tmp_path / 'demo/detections.jpg').is_file()


@pytest.fixture(scope='module')
def first(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    folder = tmp_path_factory.mktemp('demo') / 'demo'
    return folder, demo(folder)


@pytest.mark.slow
class TestQuickDemo:
    def test_succeeds_and_says_what_it_does(self, first):
        folder, run = first
        assert run.returncode == 0, run.stderr
        for title in TITLES.values():
            assert re.search(rf'^\| {title} +\|( +[\d.]+ \|){{3}}$', run.stdout, re.MULTILINE)
        assert len(re.findall(r'^\[\d/3\] .*: AP ', run.stdout, re.MULTILINE)) == 3
        assert str(folder / 'detections.jpg') in run.stdout
        assert len(run.stdout.splitlines()) < 40, 'the logs belong into files'
        assert not run.stderr

    def test_leaves_table_record_picture_and_logs(self, first):
        folder, run = first
        assert (folder / 'table.md').read_text() in run.stdout
        text = (folder / 'demo.json').read_text()
        record = json.loads(text)
        assert [row['name'] for row in record['results']] == list(TITLES)
        assert record['scenes']['num_train'] == 32
        assert {'eakd_det', 'python', 'torch', 'mmdet'} <= record['versions'].keys()
        width, height = Image.open(folder / 'detections.jpg').size
        assert min(width, height) > 800
        for name in TITLES:
            assert list(stage(folder, name).glob('*/*.log'))
            assert (stage(folder, name) / 'console.log').read_text()

    def test_distilled_student_is_a_plain_student(self, first):
        folder, _ = first
        (checkpoint,) = stage(folder, 'ea-kd').glob('iter_*.pth')
        init_detector(str(ROOT / 'configs' / 'demo' / STUDENT_CONFIG), str(checkpoint), palette='random', device='cpu')

    def test_arms_start_alike_and_end_apart(self, first):
        folder, _ = first

        def losses(name: str) -> list[dict]:
            (scalars,) = stage(folder, name).glob('*/vis_data/scalars.json')
            return [json.loads(line) for line in scalars.read_text().splitlines()]

        def weights(name: str) -> dict:
            (checkpoint,) = stage(folder, name).glob('iter_*.pth')
            return torch.load(checkpoint, weights_only=True)['state_dict']

        plain, distilled = losses('student')[0], losses('ea-kd')[0]
        for name in ('loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'):
            assert plain[name] == distilled[f'student.{name}'], 'other weights, images or RoIs in the first step'
        assert weights('student').keys() == weights('ea-kd').keys()
        assert any(not torch.equal(weights('student')[name], value) for name, value in weights('ea-kd').items())

    def test_second_run_trains_nothing(self, first):
        folder, _ = first
        before = {path: path.stat().st_mtime_ns for path in folder.rglob('iter_*.pth')}
        again = demo(folder)
        assert again.returncode == 0, again.stderr
        assert again.stdout.count('already finished') == 3
        assert {path: path.stat().st_mtime_ns for path in folder.rglob('iter_*.pth')} == before

    def test_fresh_trains_anew_and_to_the_same_numbers(self, first):
        folder, _ = first
        weights = {path.relative_to(folder): torch.load(path, weights_only=True) for path in folder.rglob('iter_*.pth')}
        again = demo(folder, '--fresh')
        assert again.returncode == 0, again.stderr
        assert 'already finished' not in again.stdout
        for path in folder.rglob('iter_*.pth'):
            state = torch.load(path, weights_only=True)['state_dict']
            before = weights[path.relative_to(folder)]['state_dict']
            assert all(torch.equal(state[name], before[name]) for name in before), path.relative_to(folder)

"""The dry run of a plan: what it shortens and what not, its estimates, and a tiny plan from end to end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from eakd_det.lab.experiment.plan_file import read_plan
from tests.processes import ROOT
from tests.test_lab.test_experiment.conftest import Grid

sys.path.insert(0, str(ROOT / 'tools' / 'analysis_tools'))

import dry_run


def test_sizes_stay_those_of_the_plan():
    plan = read_plan(ROOT / 'configs/studies/coco_r101-r18.py')
    short = dry_run.shorten(plan, iters=2, images=1, val_images=3)
    assert [arm.name for arm in short.arms] == [arm.name for arm in plan.arms]
    assert short.options['train_cfg.max_iters'] == 2
    assert short.options['val_dataloader.dataset.indices'] == 3
    assert not any('model' in key or 'pipeline' in key for key in short.options)


def test_estimates():
    row = dict(fastest_step=3.0, start_memory_mib=1000, memory_mib=3000, gpu_memory_mib=None)
    whole = dict(iters=180000, images=8)
    found = dry_run.estimate(row, dict(fastest_step=2.0), 1, whole, 0.105)
    assert found == dict(ratio=1.5, hours=63.0, full_memory_gib=round((1000 + 8 * 2000) / 1024, 1))
    on_gpu = dry_run.estimate(
        {**row, 'fastest_step': 0.5, 'gpu_memory_mib': 9000}, dict(fastest_step=0.4), 8, whole, 0.105
    )
    assert on_gpu == dict(ratio=1.25, hours=25.0, full_memory_gib=8.8)


def test_a_failed_row_is_in_the_table():
    done = dict(title='KD', finished=True, fastest_step=3.0, ratio=1.5, hours=63.0, full_memory_gib=16.6)
    done |= dict(memory_mib=3000, gpu_memory_mib=None)
    text = dry_run.table([done, dict(title='DKD', finished=None, fastest_step=None)], dict(iters=10, images=8), 1)
    assert text.splitlines()[2:] == [
        '| KD | train, evaluate | 3.0 | 1.50 | 3000 | 63 | 17 |',
        '| DKD | failed |  |  |  |  |  |',
    ]


@pytest.mark.slow
def test_a_tiny_plan_from_end_to_end(tmp_path, capsys):
    grid = Grid(tmp_path)
    grid.write_plan(teacher=None)
    out = Path(grid.root) / 'record.json'
    argv = [str(grid.plan), '--iters', '2', '--random-weights', '--threads', '1', '--work-dir', str(grid.root / 'dry')]
    assert dry_run.main([*argv, '--out', str(out)]) == 0
    record = json.loads(out.read_text())
    assert [row['arm'] for row in record['rows']] == ['student', 'kd', 'ea-kd']
    assert all(row['finished'] and row['iteration'] == 2 for row in record['rows'])
    assert all(row['memory_mib'] >= row['start_memory_mib'] > 100 for row in record['rows'])
    assert record['rows'][0]['ratio'] == 1
    assert '| EA-KD |' in capsys.readouterr().out

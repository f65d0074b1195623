"""The training scripts of MMDetection and MMRazor, as a shell runs them, on a config that imports this package."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from eakd_det.mm.installed_packages import get_installed_path
from tests import tiny_data
from tests.processes import ROOT


@pytest.mark.parametrize('start_method', [pytest.param('fork', marks=pytest.mark.slow), 'spawn'])
@pytest.mark.parametrize('package', ['mmdet', pytest.param('mmrazor', marks=pytest.mark.slow)])
def test_it_distils(package, start_method, tmp_path):
    data = tiny_data.make_coco(tmp_path / 'data')
    cfg = tiny_data.distill_config(data, None, iters=2)
    cfg.custom_imports = dict(imports=['eakd_det'])
    cfg.env_cfg.mp_cfg.mp_start_method = start_method
    cfg.train_dataloader.update(num_workers=1, persistent_workers=True)
    # MMRazor's imports MMRazor before it reads the config.
    first = ['-m', 'eakd_det'] if package == 'mmrazor' else []
    script = Path(get_installed_path(package)) / '.mim' / 'tools' / 'train.py'
    config = tiny_data.dump(cfg, tmp_path / 'config.py')

    result = subprocess.run(
        [sys.executable, '-W', 'ignore', *first, str(script), config, '--work-dir', str(tmp_path / 'work')],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        cwd=tmp_path,
    )

    assert result.returncode == 0, result.stderr[-2000:]
    assert 'loss_kd' in result.stdout + result.stderr
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()


def test_a_script_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['eakd_det', '--help'])
    with pytest.raises(SystemExit, match='expected a script, but there is no file --help'):
        runpy.run_module('eakd_det', run_name='__main__')

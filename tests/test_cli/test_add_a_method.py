"""The file and the config of docs/add_a_method.md train."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
import torch

from eakd_det.paths import tools_dir
from tests import tiny_data
from tests.test_cli.conftest import Workspace
from tests.test_cli.test_scripts import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def files() -> dict[str, str]:
    page = (ROOT / 'docs/add_a_method.md').read_text()
    return dict(re.findall(r'```python\n# ([\w.-]+)[^\n]*\n(.*?)```', page, flags=re.DOTALL))


def test_one_file_outside_the_package_trains(workspace: Workspace, teacher_ckpt: str, files: dict[str, str]) -> None:
    base = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=2)
    del base.model.distiller.distill_losses['loss_kd']
    base.dump(str(workspace.root / 'pair.py'))
    for name, content in files.items():
        (workspace.root / name).write_text(content)

    process = run(
        sys.executable,
        str(tools_dir() / 'train.py'),
        'pair.py+ea-hellinger.py',
        '--work-dir',
        'work',
        cwd=workspace.root,
        PYTHONPATH=os.pathsep.join(['.', str(ROOT)]),
    )

    assert process.returncode == 0, process.stderr
    assert (workspace.work_dir / 'iter_2.pth').is_file()
    lines = [json.loads(line) for file in workspace.work_dir.rglob('scalars.json') for line in file.open()]
    assert all(line['distill.loss_hellinger'] > 0 for line in lines if 'distill.loss_hellinger' in line)
    assert any('distill.hellinger.fg_weight' in line for line in lines)


def test_the_formula_of_the_page(files: dict[str, str]) -> None:
    space: dict = {}
    source = files['hellinger.py'].replace('@MODELS.register_module()', '')  # leaves no trace in the registry
    exec(compile(source, 'hellinger.py', 'exec'), space)
    student, teacher = torch.randn(2, 6, 5, dtype=torch.float64)
    p, q = (teacher / 2).softmax(1), (student / 2).softmax(1)
    expected = (p.sqrt() - q.sqrt()).square().sum(1) / 2
    torch.testing.assert_close(space['hellinger_divergence'](student, teacher, 2.0), expected)
    torch.testing.assert_close(space['HellingerLoss'](tau=2.0)(student, teacher), expected.mean())

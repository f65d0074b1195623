"""What the hooks of an experiment write down of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from eakd_det.cli import train as train_tool
from eakd_det.lab.experiment.start_hook import weights_digest
from tests import tiny_data
from tests.test_cli.conftest import as_if_alone  # noqa: F401

HOOKS = [dict(type=f'eakd_det.{name}') for name in ('CocoEvalHook', 'StartHook', 'WatchHook')]


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data')


def train(cfg: Any, folder: Path, *flags: str) -> dict[str, dict[str, Any]]:
    cfg.custom_hooks = HOOKS
    folder.mkdir(exist_ok=True)
    config = tiny_data.dump(cfg, folder / 'config.py')
    assert train_tool.main([config, '--work-dir', str(folder), *flags]) == 0
    return {name: json.loads((folder / f'{name}.json').read_text()) for name in ('start', 'progress')}


def test_arms_of_a_seed_start_alike_and_seeds_do_not(data: Path, tmp_path: Path) -> None:
    plain = train(tiny_data.student_config(data, iters=2), tmp_path / 'plain')
    distilled = train(tiny_data.distill_config(data, None, iters=2), tmp_path / 'distilled')
    assert plain['start'] == distilled['start']
    assert plain['start']['number_of_batches'] == 2
    cfg = tiny_data.student_config(data, iters=2)
    cfg.randomness.seed = 1
    other = train(cfg, tmp_path / 'other')['start']
    assert other['student'] != plain['start']['student']
    assert other['batches'] != plain['start']['batches']


def test_progress_and_time_go_on_after_a_resume(data: Path, tmp_path: Path) -> None:
    first = train(tiny_data.student_config(data, iters=2), tmp_path / 'run')
    assert first['progress']['finished']
    assert (first['progress']['iteration'], first['progress']['resumes']) == (2, 0)
    assert 0 <= first['progress']['AP'] <= 1
    cfg = tiny_data.student_config(data, iters=4)
    second = train(cfg, tmp_path / 'run', '--resume')
    assert (second['progress']['iteration'], second['progress']['resumes']) == (4, 1)
    assert second['progress']['seconds'] > first['progress']['seconds'] > 0
    assert second['start'] == first['start'], 'a resume replaced the file'


def test_digest_of_weights_is_that_of_the_student() -> None:
    state = {'conv.weight': torch.arange(4.0).reshape(2, 2), 'bn.num': torch.tensor(3)}
    razor = {f'architecture.{name}': value for name, value in state.items()} | {'teacher.w': torch.ones(1)}
    assert weights_digest(state) == weights_digest(razor)
    assert weights_digest(state) != weights_digest({**state, 'bn.num': torch.tensor(4)})
    assert weights_digest(state) != weights_digest({**state, 'conv.weight': state['conv.weight'].reshape(4)})
    assert weights_digest(state) != weights_digest({**state, 'conv.weight': state['conv.weight'].half()})

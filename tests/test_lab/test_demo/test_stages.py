"""When a finished stage is used again, and when not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.lab.demo import stages
from eakd_det.lab.demo.plan import STAGES
from eakd_det.lab.demo.report import make_record
from eakd_det.lab.demo.stages import StageResult, run_stage
from eakd_det.lab.experiment import fingerprint

STAGE = STAGES[0]


@pytest.fixture
def trained(monkeypatch):
    """Counts the trainings; what a training would leave behind is written without one."""
    calls = []

    def train(stage, cfg, screen):
        calls.append(cfg.work_dir)
        checkpoint = Path(cfg.work_dir) / 'iter_600.pth'
        checkpoint.write_bytes(b'weights')
        return StageResult(stage, checkpoint, {'AP': 0.25 + len(calls) / 8, 'APs': None}, 1000, 600, 12.5)

    monkeypatch.setattr(stages, '_train', train)
    return calls


@pytest.fixture
def data(tmp_path) -> Path:
    path = tmp_path / 'instances.json'
    path.write_text('one')
    return path


def run(folder: Path, data: Path, **settings) -> StageResult:
    cfg = Config(dict(work_dir=str(folder), lr=settings.pop('lr', 0.1), randomness=dict(seed=settings.pop('seed', 0))))
    return run_stage(STAGE, cfg, [data])


def test_same_again_is_not_trained_again(trained, tmp_path, data):
    first = run(tmp_path / 'teacher', data)
    second = run(tmp_path / 'teacher', data)
    assert len(trained) == 1
    assert (first.reused, second.reused) == (False, True)
    assert dataclasses.replace(second, reused=False) == first


def test_folder_may_be_moved(trained, tmp_path, data):
    run(tmp_path / 'teacher', data)
    (tmp_path / 'teacher').rename(tmp_path / 'moved')
    again = run(tmp_path / 'moved', data)
    assert again.reused
    assert again.checkpoint == tmp_path / 'moved' / 'iter_600.pth'


@pytest.mark.parametrize('what', ['config', 'seed', 'data', 'checkpoint', 'result', 'version'])
def test_trained_anew_if_anything_differs(trained, tmp_path, data, what, monkeypatch):
    folder = tmp_path / 'teacher'
    run(folder, data)
    if what == 'data':
        data.write_text('two')
    elif what == 'checkpoint':
        (folder / 'iter_600.pth').unlink()
    elif what == 'result':
        (folder / 'result.json').write_text('{"fingerprint"')
    elif what == 'version':
        monkeypatch.setattr(fingerprint, '__version__', '99.0')
    again = run(folder, data, **{'config': {'lr': 0.2}, 'seed': {'seed': 1}}.get(what, {}))
    assert len(trained) == 2
    assert not again.reused
    assert again.metrics['AP'] == 0.5


def test_interrupted_training_leaves_no_result(tmp_path, data, trained, monkeypatch):
    run(tmp_path / 'teacher', data)

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, '_train', interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / 'teacher', data, seed=1)
    assert not (tmp_path / 'teacher' / 'result.json').exists()


def test_record_holds_what_a_comparison_needs(tmp_path):
    result = StageResult(STAGE, tmp_path / 'iter_600.pth', {'AP': 0.5}, 1000, 600, 12.34)
    record = json.loads(json.dumps(make_record([result], 'python tools/demo.py --seed 0', 0, {'num_train': 5}, 99.99)))
    assert record['seconds'] == 100.0
    assert record['scenes'] == {'num_train': 5}
    assert {'eakd_det', 'python', 'torch', 'mmdet', 'scikit-learn'} <= record['versions'].keys()
    (row,) = record['results']
    assert row['config'] == f'configs/demo/{STAGE.config}'
    assert (row['metrics'], row['seconds']) == ({'AP': 0.5}, 12.3)
    assert str(tmp_path) not in json.dumps(record), 'a path of this machine'

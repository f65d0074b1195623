from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eakd_det.errors import ConfigError
from eakd_det.evaluation import EvalEntry, EvalRecord
from eakd_det.evaluation.record import set_aside

ENTRY = EvalEntry('student', 'val', 2, 0, {'AP': 0.1, 'APl': None}, '2025-01-01T00:00:00Z', 1.5, run=0)


def record() -> EvalRecord:
    return EvalRecord(
        runs=[dict(mode='train', seed=0)],
        entries=[
            EvalEntry('teacher', 'val', None, None, {'AP': 0.9}, '2025-01-01T00:00:00Z', 0.5, 0, 'teacher.pth'),
            ENTRY,
            replace(ENTRY, iteration=4, metrics={'AP': 0.3}),
            replace(ENTRY, iteration=6, metrics={'AP': 0.3}),
            replace(ENTRY, iteration=8, metrics={'AP': None}),
            replace(ENTRY, iteration=None, split='test', metrics={'AP': 0.2}, checkpoint='a.pth'),
        ],
    )


def test_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'eval_record.json'
    record().write(path)
    assert EvalRecord.read(path) == record()
    content = json.loads(path.read_text())
    assert content['format'] == 1
    assert content['entries'][1]['metrics'] == {'AP': 0.1, 'APl': None}
    assert os.listdir(path.parent) == ['eval_record.json']


def test_choosing_entries() -> None:
    assert record().last().checkpoint == 'a.pth'
    assert record().last(split='val').iteration == 8
    assert record().best().iteration == 4  # the first of the best
    assert record().best('teacher').metrics == {'AP': 0.9}
    assert EvalRecord().best() is None
    assert EvalRecord().last() is None


def test_forgetting_what_came_after_the_point_of_a_resume() -> None:
    shortened = record()
    assert shortened.forget_after(4) == 2
    assert [entry.iteration for entry in shortened.entries] == [None, 2, 4, None]


@pytest.mark.parametrize('failing', ['fsync', 'replace'])
def test_a_write_that_fails_leaves_the_old_record_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / 'eval_record.json'
    record().write(path)

    def fail(*args: Any) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match='No space left'):
        EvalRecord().write(path)
    assert EvalRecord.read(path) == record()
    assert os.listdir(tmp_path) == ['eval_record.json']


@pytest.mark.parametrize(
    'text',
    [
        '',
        '{"format": 1',
        '[]',
        '{}',
        '{"format": 2, "runs": [], "entries": []}',
        '{"format": 1, "runs": []}',
        '{"format": 1, "runs": [], "entries": [{"subject": "student"}]}',
        '{"format": 1, "runs": [], "entries": 3}',
        '\x00',
    ],
)
def test_what_is_no_record_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'eval_record.json'
    path.write_text(text)
    with pytest.raises(ConfigError, match=r'eval_record\.json: ') as caught:
        EvalRecord.read(path)
    assert '\n' not in str(caught.value)


def test_no_record(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='there is no such file'):
        EvalRecord.read(tmp_path / 'eval_record.json')


def test_setting_aside(tmp_path: Path) -> None:
    path = tmp_path / 'eval_record.json'
    path.write_text('x')
    kept = [set_aside(path, 'corrupt')]
    path.write_text('y')
    kept.append(set_aside(path, 'corrupt'))
    assert [file.read_text() for file in kept] == ['x', 'y']
    assert all(file.name.startswith('eval_record.corrupt-') and file.suffix == '.json' for file in kept)

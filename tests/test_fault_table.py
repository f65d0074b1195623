from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ['pytester']

FAULTS = """
import pytest

@pytest.mark.fault('{part} is cut off', expected='a clear line')
@pytest.mark.parametrize('part', ['teacher', 'student'])
def test_cut(part, seen):
    seen(f'the {part} was refused')
    seen('and kept')

@pytest.mark.fault('a broken promise', expected='an answer')
def test_broken():
    raise ValueError('deep inside')

@pytest.mark.fault('silence', expected='words')
def test_silent():
    pass

@pytest.mark.fault('no such machine', expected='two GPUs')
def test_skipped():
    pytest.skip('one CPU')

def test_other():
    pass
"""


@pytest.fixture
def outcome(pytester: pytest.Pytester) -> pytest.RunResult:
    pytester.makepyfile(FAULTS)
    return pytester.runpytest('-p', 'tests.fault_table', '-m', 'fault', '--fault-table', '--fault-record', 'faults.md')


def test_every_fault_is_a_row(outcome: pytest.RunResult, pytester: pytest.Pytester) -> None:
    outcome.assert_outcomes(passed=2, failed=2, skipped=1, deselected=1)
    rows = (Path(pytester.path) / 'faults.md').read_text().splitlines()
    assert rows[0] == '| fault | expected | seen |  |'
    assert rows[2] == '| teacher is cut off | a clear line | the teacher was refused; and kept | ok |'
    assert rows[3].startswith('| student is cut off |')
    assert rows[4] == '| a broken promise | an answer | ValueError: deep inside | FAILED |'
    assert rows[5].startswith('| silence | words |')
    assert rows[5].endswith('| FAILED |')
    assert rows[6].endswith('| skipped |')
    assert len(rows) == 7


def test_the_terminal_shows_them(outcome: pytest.RunResult) -> None:
    text = outcome.stdout.str()
    assert 'teacher is cut off' in text
    assert max(len(line) for line in text.splitlines() if line.startswith('|')) <= 160

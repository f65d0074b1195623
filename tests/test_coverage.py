"""docs/coverage.md: a command or a reason in every row, and every command names what exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from eakd_det.cli.composition import config_files
from eakd_det.lab.analysis.command import ANALYSES
from eakd_det.lab.experiment.plan_file import read_plan
from eakd_det.lab.experiment.published import published_numbers, published_pairs

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs/coverage.md').read_text()
ROWS = [
    [cell.strip() for cell in line.strip('| ').split(' | ')]
    for line in TEXT.splitlines()
    if line.startswith('| ') and not line.startswith(('| printed', '| method |', '| ---'))
]
COMMANDS = sorted(set(re.findall(r'`((?:python|eakd-analyze) [^`]+)`', TEXT)))
METHODS = {path.stem for path in (ROOT / 'configs/methods').glob('*.py')}


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[0][:40])
def test_a_row_has_a_command_or_a_reason(row):
    what, here, seen = row
    assert what
    assert seen
    names = re.findall(r'`([^`]+)`', here)
    assert here.startswith('Not here: ') or names
    assert all(name in METHODS or ' ' in name or (ROOT / name).is_file() for name in names)


@pytest.mark.parametrize('command', [command for command in COMMANDS if 'PAIR' not in command])
def test_what_a_command_names_exists(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *words = shlex.split(command)
    if program == 'eakd-analyze':
        assert words[0] in ANALYSES
    elif words[0] != '-m':
        assert Path(words[0]).is_file()
    for word in words:
        if word.startswith(('configs/', 'tests/', 'docs/')):
            assert all(path.is_file() for path in config_files(word)), word
    if '--arms' in words:
        plan = read_plan(Path(next(word for word in words if word.startswith('configs/studies/'))))
        arms = words[words.index('--arms') + 1 : words.index('--gpus')]
        assert set(arms) <= {arm.name for arm in plan.arms}


def test_every_method_and_every_plan_of_the_papers_has_a_row():
    named = {name for row in ROWS for name in re.findall(r'`([\w-]+)`', row[1])}
    assert named >= METHODS
    plans = {path.name for path in (ROOT / 'configs/studies').glob('*.py')}
    others = {'demo_budget.py', 'demo_budget_long-teacher.py', 'demo_gfl.py', 'demo_gfl_sites.py', 'demo_parts.py'}
    ours = {*others, *(name for name in plans if name.startswith(('bccd', 'own_data')))}  # not of these papers
    assert plans - ours == set(re.findall(r'configs/studies/([\w.-]+\.py)', TEXT))


def test_every_table_and_figure_has_its_row():
    ea, _, ls = TEXT.partition('## LS: tables and figures')
    for text, what, last in ((ea, 'Table', 9), (ea, 'Figure', 8), (ls, 'Table', 5), (ls, 'Figure', 5)):
        rows = [line for line in text.splitlines() if line.startswith(f'| {what} ')]
        numbers = {int(re.findall(r'\d+', line)[0]) for line in rows}
        assert numbers == set(range(1, last + 1))


def test_the_printed_numbers_beside_the_commands_of_the_coco_rows():
    text = (ROOT / 'docs/experiments.md').read_text()
    found = {}
    for line in text.splitlines():
        row = re.match(
            r'\| .* \| `python tools/experiment.py configs/studies/coco_([\w-]+).py --arms (\S+)` \| (.*) \|', line
        )
        if row:
            found.setdefault(row[1], {})[row[2]] = row[3]
    assert set(found) == set(published_pairs())
    for pair, rows in found.items():
        printed = {name: values for name, values in published_numbers(pair).items() if name != 'teacher'}
        assert rows == {
            name: ' / '.join(f'{100 * numbers[figure]:.2f}' for figure in ('AP', 'AP50', 'AP75'))
            for name, numbers in printed.items()
        }

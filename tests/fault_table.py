"""Pytest plugin that tabulates faults: fault, expected and observed behaviour.

    @pytest.mark.fault('{part} cut off at half its length', expected='one line that names the file')
    @pytest.mark.parametrize('part', ['teacher', 'student'])
    def test_cut_off(part: str, seen: Callable[[str], None]) -> None:
        ...
        seen(error)  # after the assertions

Names in braces are replaced by the test's parameters. A fault test that passes without calling ``seen`` fails.
``--fault-table`` prints the table, ``--fault-record FILE`` writes it as Markdown.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SILENT = 'a fault test must call `seen` with what it observed'


class Row(NamedTuple):
    fault: str
    expected: str
    seen: str
    outcome: str


HEADER = Row('fault', 'expected', 'seen', '')
SEEN = pytest.StashKey[str]()
ROWS = pytest.StashKey[list[Row]]()
COUNTS = pytest.StashKey[dict[str, dict[str, int]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup('faults')
    group.addoption('--fault-table', action='store_true', help='print a table of the faults tested: expected, seen')
    group.addoption('--fault-record', metavar='FILE', help='write that table to a Markdown file')
    group.addoption('--fuzz-record', metavar='FILE', help='write numbers of cases and their outcomes to a JSON file')


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS], config.stash[COUNTS] = [], {}


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that records an observation, to be called after the assertions."""

    def say(text: object) -> None:
        before = request.node.stash.get(SEEN, '')
        request.node.stash[SEEN] = f'{before}; {text}' if before else str(text)

    return say


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[str, dict[str, int]], None]:
    """Return a function that records the outcomes of the cases of a kind, for ``--fuzz-record``."""

    def note(kind: str, outcomes: dict[str, int]) -> None:
        request.config.stash[COUNTS][kind] = {'cases': sum(outcomes.values()), **dict(sorted(outcomes.items()))}

    return note


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    marker = item.get_closest_marker('fault')
    if marker is None or (call.when != 'call' and report.passed):
        return report
    if report.passed and SEEN not in item.stash:
        report.outcome, report.longrepr = 'failed', SILENT
    params = item.callspec.params if hasattr(item, 'callspec') else {}
    text = [part.format_map(params) if params else part for part in (marker.args[0], marker.kwargs['expected'])]
    outcome = 'ok' if report.passed else report.outcome if report.skipped else 'FAILED'
    item.config.stash[ROWS].append(Row(*map(_one_line, (*text, _observation(item, call, report))), outcome))
    return report


def _observation(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    if report.passed:
        return item.stash[SEEN]
    return call.excinfo.exconly() if call.excinfo else str(report.longrepr)


def _one_line(text: object) -> str:
    return ' '.join(str(text).split())


def merged(rows: list[Row]) -> list[Row]:
    """Merge equal rows and add their number."""
    return [
        row if count == 1 else row._replace(seen=f'{row.seen} ({count} cases)') for row, count in Counter(rows).items()
    ]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = merged(config.stash[ROWS])
    if config.getoption('--fault-table') and rows:
        terminalreporter.section('faults')
        terminalreporter.write_line(for_terminal(rows, shutil.get_terminal_size((160, 24)).columns))
    if config.getoption('--fault-record'):
        Path(config.getoption('--fault-record')).write_text(markdown(rows), encoding='utf-8')
    if config.getoption('--fuzz-record'):
        text = json.dumps(config.stash[COUNTS], indent=2, sort_keys=True)
        Path(config.getoption('--fuzz-record')).write_text(text + '\n', encoding='utf-8')


def for_terminal(rows: list[Row], width: int) -> str:
    """Return the table with wrapped columns, for a terminal of ``width`` characters."""
    column = max((width - len('| ') * 3 - len(' | FAILED |')) // 3 - 1, 16)
    widths = [min(column, max(len(row[index]) for row in [HEADER, *rows])) for index in range(3)]
    widths.append(max(len(row.outcome) for row in rows))
    rule = '|' + '|'.join('-' * (size + 2) for size in widths) + '|'
    return '\n'.join([_wrapped(HEADER, widths), *(f'{rule}\n{_wrapped(row, widths)}' for row in rows)])


def _wrapped(row: Row, widths: list[int]) -> str:
    cells = [textwrap.wrap(_short(text), size) or [''] for text, size in zip(row, widths, strict=True)]
    lines = range(max(map(len, cells)))
    padded = [
        [(cell[line] if line < len(cell) else '').ljust(size) for cell, size in zip(cells, widths, strict=True)]
        for line in lines
    ]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in padded)


def _short(text: str, length: int = 400) -> str:
    return text if len(text) <= length else text[: length - 1] + '…'


def markdown(rows: list[Row]) -> str:
    """Return the table in Markdown."""
    lines = ['| ' + ' | '.join(_short(cell).replace('|', '\\|') for cell in row) + ' |' for row in [HEADER, *rows]]
    return '\n'.join([lines[0], '| --- | --- | --- | --- |', *lines[1:]]) + '\n'

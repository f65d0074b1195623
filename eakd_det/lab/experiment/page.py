"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from eakd_det.lab.experiment.plot import QUESTIONS_CAPTION, caption, draw, draw_questions, svg
from eakd_det.lab.experiment.shown import answered_questions
from eakd_det.lab.experiment.table import loss_cells, notes, question_cells, table_cells

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; max-width: 1300px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .55rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child, th.text, td.text, th.code { text-align: left; }
td:first-child, td.text { white-space: normal; min-width: 11rem; }
td.code { text-align: left; white-space: nowrap; }
th { border-bottom: 2px solid #888; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
td code { overflow-wrap: normal; }
details { margin: 1rem 0; }
summary { cursor: pointer; }
.wide { overflow-x: auto; }
.warning { color: #a11; font-weight: 600; }
figure { margin: 2rem 0; }
figure svg { width: 100%; height: auto; }
figcaption { max-width: 60rem; }
"""


def page(report: Mapping[str, Any]) -> str:
    """The page: table, notes, picture, and every run with its command.

    Args:
        report: What :func:`eakd_det.lab.experiment.comparison.make_report` gives.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report['title'])}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(report['title'])}</h1>
<p>{escape(report['time'])} · <code>{escape(report['command'])}</code></p>
{_arms(report)}
{_more_tables(report)}
<ul>{''.join(_note(line) for line in notes(report))}</ul>
{_figures(report)}
<details><summary>All {len(report['runs'])} runs, with their commands</summary>{_runs(report)}</details>
</body>
</html>
"""


def _more_tables(report: Mapping[str, Any]) -> str:
    """Questions and losses, if there are any."""
    tables = {'Questions': question_cells(report), 'Losses, means over training': loss_cells(report)}
    return ''.join(
        f'<h2>{title}</h2>{_table(headings, rows, texts=("difference of",))}'
        for title, (headings, rows) in tables.items()
        if rows
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], texts: Sequence[str] = (), code: str = '') -> str:
    """A table; the columns headed ``texts`` are flush left, as the first is, and the one headed ``code`` is code."""
    kinds = [' class="code"' if name == code else ' class="text"' if name in texts else '' for name in headings]
    head = ''.join(f'<th{kind}>{escape(heading)}</th>' for heading, kind in zip(headings, kinds, strict=True))
    lines = []
    for row in rows:
        cells = [
            f'<td{kind}><code>{escape(cell)}</code></td>' if 'code' in kind else f'<td{kind}>{escape(cell)}</td>'
            for kind, cell in zip(kinds, row, strict=True)
        ]
        lines.append(f'<tr>{"".join(cells)}</tr>')
    table = f'<table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<div class="wide">{table}</div>'


def _arms(report: Mapping[str, Any]) -> str:
    """The figures of each arm; commands are long and stand in a table of their own, folded up."""
    headings, rows = table_cells(report)
    commands = _table([headings[0], headings[-1]], [[row[0], row[-1]] for row in rows], code=headings[-1])
    figures = _table(headings[:-1], [row[:-1] for row in rows])
    return f'{figures}<details><summary>The command of each row</summary>{commands}</details>'


def _figures(report: Mapping[str, Any]) -> str:
    figures = [(draw(report), caption(report))]
    if answered_questions(report):
        figures.append((draw_questions(report), QUESTIONS_CAPTION))
    return ''.join(f'<figure>{svg(figure)}<figcaption>{escape(text)}</figcaption></figure>' for figure, text in figures)


def _note(line: str) -> str:
    is_warning = line.startswith('Warning') or ': failed' in line or ': unfinished' in line
    return f'<li{" class=warning" if is_warning else ""}>{escape(line)}</li>'


def _runs(report: Mapping[str, Any]) -> str:
    rows = []
    for run in report['runs']:
        measured = run['metrics'].get('AP')
        state = run['status'] if measured is None else f'AP {100 * measured:.1f}'
        seconds = '' if run['seconds'] is None else f'{run["seconds"]:.0f} s'
        rows.append([run['arm'], str(run['seed']), state, seconds, run['command']])
    return _table(['arm', 'seed', 'result', 'training', 'command'], rows, texts=('result',), code='command')

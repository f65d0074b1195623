"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from eakd_det.experiment.plot import QUESTIONS_CAPTION, caption, draw, draw_questions, svg
from eakd_det.experiment.table import loss_cells, notes, question_cells, table_cells

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; max-width: 1300px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child, td.command { text-align: left; }
th { border-bottom: 2px solid #888; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
td.command, details td { white-space: normal; text-align: left; }
td.command { min-width: 24rem; }
.wide { overflow-x: auto; }
.warning { color: #a11; font-weight: 600; }
figure { margin: 2rem 0; }
figure svg { width: 100%; height: auto; }
figcaption { max-width: 60rem; }
"""


def page(report: Mapping[str, Any]) -> str:
    """The page: table, notes, picture, and every run with its command.

    Args:
        report: What :func:`eakd_det.experiment.comparison.make_report` gives.
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
<div class="wide">{_table(*table_cells(report))}</div>
{_more_tables(report)}
<ul>{''.join(_note(line) for line in notes(report))}</ul>
{_figures(report)}
<details><summary>All {len(report['runs'])} runs</summary>{_runs(report)}</details>
</body>
</html>
"""


def _more_tables(report: Mapping[str, Any]) -> str:
    """Questions and losses, if there are any."""
    tables = {'Questions': question_cells(report), 'Losses, means over training': loss_cells(report)}
    return ''.join(
        f'<h2>{title}</h2><div class="wide">{_plain_table(headings, rows)}</div>'
        for title, (headings, rows) in tables.items()
        if rows
    )


def _plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = ''.join(f'<th>{escape(heading)}</th>' for heading in headings)
    body = ''.join(f'<tr>{"".join(f"<td>{escape(cell)}</td>" for cell in row)}</tr>' for row in rows)
    return f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _figures(report: Mapping[str, Any]) -> str:
    figures = [(draw(report), caption(report))]
    if report['questions']:
        figures.append((draw_questions(report), QUESTIONS_CAPTION))
    return ''.join(f'<figure>{svg(figure)}<figcaption>{escape(text)}</figcaption></figure>' for figure, text in figures)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = ''.join(f'<th>{escape(heading)}</th>' for heading in headings)
    body = ''.join(
        '<tr>'
        + ''.join(f'<td>{escape(cell)}</td>' for cell in row[:-1])
        + f'<td class="command"><code>{escape(row[-1])}</code></td></tr>'
        for row in rows
    )
    return f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _note(line: str) -> str:
    is_warning = line.startswith('Warning') or ': failed' in line or ': unfinished' in line
    return f'<li{" class=warning" if is_warning else ""}>{escape(line)}</li>'


def _runs(report: Mapping[str, Any]) -> str:
    lines = []
    for run in report['runs']:
        measured = run['metrics'].get('AP')
        state = run['status'] if measured is None else f'AP {100 * measured:.1f}'
        seconds = '' if run['seconds'] is None else f'{run["seconds"]:.0f} s'
        lines.append(
            f'<tr><td>{escape(run["arm"])}</td><td>{run["seed"]}</td><td>{state}</td><td>{seconds}</td>'
            f'<td><code>{escape(run["command"])}</code></td></tr>'
        )
    head = '<tr><th>arm</th><th>seed</th><th>result</th><th>training</th><th>command</th></tr>'
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></div>'

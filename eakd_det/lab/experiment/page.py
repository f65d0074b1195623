"""The report as one self-contained HTML file, from ``report.html.jinja``."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from eakd_det.lab.experiment.plot import QUESTIONS_CAPTION, caption, draw, draw_questions, svg
from eakd_det.lab.experiment.shown import answered_questions
from eakd_det.lab.experiment.sweeps import sweep_cells
from eakd_det.lab.experiment.table import loss_cells, notes, question_cells, table_cells

Table = dict[str, Any]


def page(report: Mapping[str, Any]) -> str:
    """Return the page: table, notes, picture, and every run with its command.

    Args:
        report: Result of :func:`eakd_det.lab.experiment.comparison.make_report`.
    """
    headings, rows = table_cells(report)
    figures = [(svg(draw(report)), caption(report))]
    if answered_questions(report):
        figures.append((svg(draw_questions(report)), QUESTIONS_CAPTION))
    more = {
        'Questions': question_cells(report),
        'Sweeps': sweep_cells(report),
        'Losses, means over training': loss_cells(report),
    }
    return _template().render(
        report=report,
        arms=_table(headings[:-1], [row[:-1] for row in rows]),
        commands=_table([headings[0], headings[-1]], [[row[0], row[-1]] for row in rows], code=1),
        more={title: _table(head, lines, texts=('difference of',)) for title, (head, lines) in more.items() if lines},
        notes=notes(report),
        figures=figures,
        runs=_runs(report),
    )


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader('eakd_det.lab.experiment', ''),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template('report.html.jinja')


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[str] = (), code: int | None = None
) -> Table:
    """Return a table for the template; the first column and ``texts`` are left-aligned, ``code`` is code."""
    kinds = ['code' if column == code else 'text' if name in texts else '' for column, name in enumerate(headings)]
    return {'headings': headings, 'rows': rows, 'kinds': kinds}


def _runs(report: Mapping[str, Any]) -> Table:
    rows = []
    for run in report['runs']:
        measured = run['metrics'].get('AP')
        state = run['status'] if measured is None else f'AP {100 * measured:.1f}'
        seconds = '' if run['seconds'] is None else f'{run["seconds"]:.0f} s'
        rows.append([run['arm'], str(run['seed']), state, seconds, run['command']])
    return _table(['arm', 'seed', 'result', 'training', 'command'], rows, texts=('result',), code=4)

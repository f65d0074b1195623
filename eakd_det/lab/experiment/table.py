"""The table of a report, as cells, and the notes below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eakd_det.lab.experiment.comparison import FIGURES
from eakd_det.lab.experiment.loss_facts import FACTS
from eakd_det.lab.experiment.shown import answered_questions, idle_arms, shown_arms
from eakd_det.lab.experiment.sweeps import SWEEP_NOTE, sweep_cells
from eakd_det.plurals import counted
from eakd_det.tables import markdown_table

_STATES = ('failed', 'unfinished', 'missing')


def table_cells(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the table; the first column is text, the last the command (without quotes).

    Empty columns, such as published numbers where there are none, are left out, and so are arms without a started run;
    :func:`notes` names these.

    Args:
        report: Result of :func:`eakd_det.lab.experiment.comparison.make_report`.
    """
    titles = {arm['name']: arm['title'] for arm in report['arms']}
    references = [
        (f'AP - {titles[report[key]]}', f'to_{key}')
        for key in ('student', 'control')
        if any(arm[f'to_{key}'].get('AP') for arm in report['arms'])
    ]
    has_published = any(arm['published'] for arm in report['arms'])
    has_gap = any(arm['gap_recovered'] is not None for arm in report['arms'])
    headings = [
        'arm',
        *FIGURES,
        *(heading for heading, _ in references),
        *(['gap closed'] if has_gap else []),
        'seeds',
        *(['published AP / AP50 / AP75'] if has_published else []),
        'command',
    ]
    rows = [_teacher(report, len(headings), has_published)] if report['teacher'] else []
    for arm in shown_arms(report):
        cells = [arm['title'], *(_figure(arm['figures'][figure]) for figure in FIGURES)]
        cells += [_difference(arm[key].get('AP')) for _, key in references]
        cells += [_share(arm['gap_recovered'])] if has_gap else []
        cells.append(_runs(arm['runs']))
        cells += [_published(arm['published'])] if has_published else []
        rows.append([*cells, arm['command']])
    return headings, rows


def question_cells(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the questions that can be answered: arms, their differences, and number of seeds."""
    titles = {arm['name']: arm['title'] for arm in report['arms']}
    rows = []
    for asked in answered_questions(report):
        differences = [asked['difference'].get(figure) for figure in FIGURES]
        seeds = str(differences[0]['n'])
        arms = f'{titles[asked["arm"]]} - {titles[asked["minus"]]}'
        rows.append([asked['question'], arms, *(_difference(each) or '-' for each in differences), seeds])
    return ['question', 'difference of', *FIGURES, 'seeds'], rows


def loss_cells(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows about the losses: mean weights, and size of the distillation loss."""
    headings = ['arm', 'weight of objects', 'weight of background', 'distillation / detection loss']
    rows = [
        [arm['title'], *(f'{arm["loss"][fact]:.2f}' if fact in arm['loss'] else '-' for fact in FACTS)]
        for arm in report['arms']
        if arm['loss']
    ]
    return headings, rows


def brief_markdown(report: Mapping[str, Any]) -> str:
    """Return the table of arms with AP, its differences and the seeds alone, for a page that people read."""
    headings, rows = table_cells(report)
    kept = [
        0,
        *(index for index, heading in enumerate(headings) if heading == 'seeds' or heading.split(' ')[0] == 'AP'),
    ]
    cells = [[row[index] for index in kept] for row in rows]
    return markdown_table([headings[index] for index in kept], cells, texts=(0,))


def table_markdown(report: Mapping[str, Any]) -> str:
    """Return the table of arms in Markdown, and those of questions, sweeps and losses if there are any."""
    headings, rows = table_cells(report)
    tables = [markdown_table(headings, [[*row[:-1], f'`{row[-1]}`'] for row in rows], texts=(0, -1))]
    more = ((question_cells(report), (0, 1)), (sweep_cells(report), (0,)), (loss_cells(report), (0,)))
    tables += [markdown_table(*cells, texts=texts) for cells, texts in more if cells[1]]
    return '\n\n'.join(tables)


def notes(report: Mapping[str, Any]) -> list[str]:
    """Return the notes below the table, warnings first."""
    setting, start = report['setting'], report['same_start']
    lines = [f'Warning: {warning}.' for warning in start['warnings']]
    lines += _useless_teacher(report)
    lines += [_failure(run) for run in report['runs'] if run['status'] in ('failed', 'unfinished')]
    idle = [arm['title'] for arm in idle_arms(report)]
    lines += [f'Not run: {", ".join(idle)}.'] if idle else []
    if start['same']:
        lines.append(
            f'Same start, checked for {counted(start["seeds"], "seed")}: all arms had the same initial student weights '
            f'and the same first {start["batches"]} batches (image ids and pixels).'
        )
    elif start['same'] is None:
        lines.append('Same start: not checked, there are no two finished runs of one seed.')
    lines.append(
        'AP, AP50, AP75 in %, after the last iteration and without a choice by validation; mean ± standard deviation '
        'over seeds.'
    )
    if report['student'] or report['control']:
        lines.append(
            'Differences in points of AP: mean over the seeds that both arms finished, in brackets the 95 % interval '
            '(t distribution of the paired differences) of each comparison by itself.'
        )
    if report['teacher'] and any(arm['gap_recovered'] is not None for arm in report['arms']):
        lines.append('Gap closed: share of the AP between student and teacher; the teacher is a single one.')
    lines += [SWEEP_NOTE] if sweep_cells(report)[1] else []
    if len(setting['sources']) > 1:
        lines.append(
            f"The package's source changed between runs ({len(setting['sources'])} states, see their record.json): if "
            'a change touched training, train again with --fresh.'
        )
    if setting['resumed']:
        lines.append(f'Resumed runs: {"; ".join(setting["resumed"])}.')
    lines += report['published_notes']
    versions = ', '.join(f'{package} {version}' for package, version in setting['versions'].items())
    if versions:
        lines.append(f'Iterations: {", ".join(map(str, setting["iterations"]))}. Versions: {versions}.')
    return lines


def markdown(report: Mapping[str, Any]) -> str:
    """Return the complete report in Markdown."""
    points = '\n'.join(f'- {line}' for line in notes(report))
    return f'# {report["title"]}\n\n{table_markdown(report)}\n\n{points}\n\nEverything: `{report["command"]}`\n'


def _teacher(report: Mapping[str, Any], columns: int, has_published: bool) -> list[str]:
    teacher = report['teacher']
    figures = [_percent(teacher['metrics'].get(figure)) for figure in FIGURES]
    status = '1' if teacher['status'] == 'finished' else teacher['status']
    tail = [status, *([_published(teacher['published'])] if has_published else []), teacher['command']]
    return [teacher['title'], *figures, *([''] * (columns - 1 - len(figures) - len(tail))), *tail]


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{100 * value:.1f}'


def _figure(spread: Mapping[str, Any] | None) -> str:
    if spread is None:
        return '-'
    return _percent(spread['mean']) + ('' if spread['std'] is None else f' ± {100 * spread["std"]:.1f}')


def _difference(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return ''
    text = f'{100 * difference["mean"]:+.1f}'
    if difference['low'] is None:
        return text
    return f'{text} [{100 * difference["low"]:+.1f}, {100 * difference["high"]:+.1f}]'


def _share(value: float | None) -> str:
    return '' if value is None else f'{100 * value:.0f} %'


def _runs(runs: Mapping[str, int]) -> str:
    bad = [f'{runs[state]} {state}' for state in _STATES if runs.get(state)]
    return f'{runs.get("finished", 0)}' + (f' of {runs["planned"]}: {", ".join(bad)}' if bad else '')


def _published(numbers: Mapping[str, float] | None) -> str:
    return '' if not numbers else ' / '.join(f'{100 * numbers[figure]:.2f}' for figure in FIGURES)


def _useless_teacher(report: Mapping[str, Any]) -> list[str]:
    teacher = (report['teacher'] or {}).get('metrics', {}).get('AP')
    student = next((arm['figures']['AP'] for arm in report['arms'] if arm['name'] == report['student']), None)
    if teacher is None or student is None or teacher > student['mean']:
        return []
    return [
        f"Warning: the teacher's AP, {_percent(teacher)}, is not above the plain student's, "
        f'{_percent(student["mean"])}: there is little to distil.'
    ]


def _failure(run: Mapping[str, Any]) -> str:
    reason = f': {run["error"]}' if run['error'] else ''
    return f'{run["arm"]}, seed {run["seed"]}: {run["status"]}{reason}.'


def is_report(record: Any) -> bool:
    """Return whether a JSON record is a report of an experiment.

    Example:
        >>> is_report(dict(results=[]))
        False
    """
    return isinstance(record, Mapping) and isinstance(record.get('arms'), Sequence) and 'same_start' in record

"""Update the tables in README and docs from their records: python tools/dev/tables.py [--check].

A table is enclosed by the lines ``<!-- table: name -->`` and ``<!-- /table -->``. The name is that of a record in
docs/records (demo, report of tools/experiment.py, benchmark or analysis), ``published`` for the numbers of the papers,
or ``zoo`` for the models of the zoo; ``name brief`` is the AP of a report's arms, without questions and notes. The
pictures of a report are written to docs/images/<name>.png and <name>-questions.png.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from eakd_det.checkpoint.zoo_index import zoo_entries  # noqa: E402
from eakd_det.evaluation.metrics import format_table  # noqa: E402
from eakd_det.lab.demo.plan import TITLES  # noqa: E402
from eakd_det.lab.experiment.plot import draw, draw_questions  # noqa: E402
from eakd_det.lab.experiment.published import published_numbers, published_pairs, published_titles  # noqa: E402
from eakd_det.lab.experiment.shown import answered_questions  # noqa: E402
from eakd_det.lab.experiment.table import brief_markdown, is_report, notes, table_markdown  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402

_FIGURES = ('AP', 'AP50', 'AP75')
_PUBLISHED_ARMS = ('teacher', 'student', 'kd', 'kd-matched', 'ea-kd', 'dkd', 'ea-dkd')
_BLOCK = re.compile(
    r'(?P<open>^<!-- table: (?P<name>[\w-]+(?: brief)?) -->\n)(?:(?!<!-- ).*\n)*(?P<close><!-- /table -->$)',
    re.MULTILINE,
)
_MARKER = re.compile(r'^<!-- /?table\b', re.MULTILINE)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the files that may contain tables."""
    return sorted(path for pattern in ('*.md', 'docs/**/*.md', 'configs/*.md') for path in root.glob(pattern))


def update_tables(text: str, root: Path = ROOT) -> str:
    """Return the text with all tables rendered from their records.

    Raises:
        SystemExit: If a table has no record, or its markers do not match.
    """
    if len(_MARKER.findall(text)) != 2 * len(_BLOCK.findall(text)):
        raise SystemExit('a table marker is not closed, or is opened twice')
    return _BLOCK.sub(lambda found: f'{found["open"]}{render(found["name"], root)}\n{found["close"]}', text)


def render(name: str, root: Path = ROOT) -> str:
    """Render a table with its notes."""
    if name == 'published':
        return _published()
    if name == 'zoo':
        return _zoo()
    name, _, brief = name.partition(' ')
    path = root / 'docs' / 'records' / f'{name}.json'
    if not path.is_file():
        raise SystemExit(f'<!-- table: {name} -->: there is no record {path}')
    record = json.loads(path.read_text())
    if 'environment' in record:
        return _benchmark(record)
    if 'table' in record:
        return f'{record["table"]}\n\n`{record["command"]}`'
    if is_report(record) and brief:
        return f'{brief_markdown(record)}\n\n`{record["command"]}`'
    if is_report(record):
        return '\n'.join([table_markdown(record), '', *(f'- {line}' for line in notes(record))])
    return _demo(record)


def draw_reports(root: Path = ROOT) -> list[Path]:
    """Draw the pictures of all reports and return their paths."""
    pictures = []
    for path in sorted((root / 'docs' / 'records').glob('*.json')):
        record = json.loads(path.read_text())
        if not is_report(record):
            continue
        figures = {path.stem: draw(record)}
        if len(answered_questions(record)) > 1:
            figures[f'{path.stem}-questions'] = draw_questions(record)
        for name, figure in figures.items():
            pictures.append(root / 'docs' / 'images' / f'{name}.png')
            pictures[-1].parent.mkdir(exist_ok=True)
            figure.savefig(pictures[-1], dpi=110)
    return pictures


def _benchmark(record: Mapping[str, Any]) -> str:
    where = record['environment']
    machine = f'{where["threads"]} thread{"s" if where["threads"] > 1 else ""} on {where["machine"]}'
    ops = f', {where["mmcv_ops"]} mmcv ops' if 'mmcv_ops' in where else ''
    return f'{record["table"]}\n\n`{where["command"]}`; torch {where["torch"]}{ops}, {machine}.'


def _demo(record: Mapping[str, Any]) -> str:
    table = format_table([(TITLES[row['name']], row['metrics']) for row in record['results']], _FIGURES)
    machine = record['machine']
    minutes = f'{record["seconds"] / 60:.1f} minutes on {machine["cores"]} CPU cores'
    return f'{table}\n\n`{record["command"]}`, {minutes}.'


def _published() -> str:
    rows = []
    for arm in _PUBLISHED_ARMS:
        cells = []
        for pair in published_pairs():
            numbers = published_numbers(pair).get(arm)
            cells.append(
                ' / '.join(f'{100 * numbers[name]:.2f}' for name in _FIGURES) if numbers else 'not in these tables'
            )
        rows.append([arm if arm == 'teacher' else f'`{arm}`', *cells])
    headings = ['arm', *published_titles().values()]
    return markdown_table(headings, rows, texts=range(len(headings)))


def _zoo() -> str:
    rows = []
    for entry in zoo_entries().values():
        metrics = (f'{entry.metrics[f"box {name}"]:.1f}' for name in _FIGURES)
        size = f'{entry.path.stat().st_size / 1e6:.1f} MB, {entry.metadata["Precision"]}'
        name = f'[`{entry.name}`](../zoo/{entry.name}/README.md)'
        data = entry.metadata['Training Data'].partition(':')[0]
        rows.append([name, data, f'`{entry.config.name}`', size, *metrics])
    return markdown_table(['model', 'data', 'config', 'file', *_FIGURES], rows, texts=range(4))


def main(argv: list[str] | None = None) -> int:
    """Update the tables; with ``--check``, only list outdated files and return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--check', action='store_true', help='change nothing; exit with status 1 if a table is outdated'
    )
    args = parser.parse_args(argv)
    outdated = {path: text for path in pages() if update_tables(text := path.read_text()) != text}
    for path, text in outdated.items():
        print(f'{path.relative_to(ROOT)}: {"outdated" if args.check else "updated"}')
        if not args.check:
            path.write_text(update_tables(text))
    if not args.check:
        for picture in draw_reports():
            print(f'{picture.relative_to(ROOT)}: drawn')
    return int(args.check and bool(outdated))


if __name__ == '__main__':
    sys.exit(main())

"""The tables in README and docs are those of the records."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / 'tools' / 'dev'))

import tables  # noqa: E402


@pytest.mark.parametrize('path', tables.pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_agree_with_the_records(path):
    text = path.read_text()
    assert tables.update_tables(text) == text, f'{path.name}: run `make tables`'


def test_every_record_has_its_table_and_the_readme_the_demos():
    text = ''.join(path.read_text() for path in tables.pages())
    for record in (ROOT / 'docs' / 'records').glob('*.json'):
        if 'arms' in json.loads(record.read_text()) or record.stem in ('demo', 'bccd'):
            assert f'<!-- table: {record.stem} -->' in text, record.stem
    assert '<!-- table: demo -->' in (ROOT / 'README.md').read_text()


def test_another_record_makes_another_table(tmp_path):
    records = tmp_path / 'docs' / 'records'
    records.mkdir(parents=True)
    demo = json.loads((ROOT / 'docs/records/demo.json').read_text())
    demo['results'][0]['metrics']['AP'] = 0.999
    (records / 'demo.json').write_text(json.dumps(demo))
    before = '# Title\n\n<!-- table: demo -->\nold\n<!-- /table -->\n\nEnd.\n'
    after = tables.update_tables(before, tmp_path)
    assert '| 99.9 |' in after
    assert after.startswith('# Title\n\n<!-- table: demo -->\n|')
    assert after.endswith('.\n<!-- /table -->\n\nEnd.\n')
    assert tables.update_tables(after, tmp_path) == after


def test_a_table_without_a_record_or_an_end_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match='no record'):
        tables.update_tables('<!-- table: nothing -->\n<!-- /table -->\n', tmp_path)
    with pytest.raises(SystemExit, match='not closed'):
        tables.update_tables('<!-- table: demo -->\n| a |\n', tmp_path)


def test_a_report_of_an_experiment_becomes_a_table_with_its_notes(tmp_path):
    from tests.test_lab.test_experiment.test_comparison import full, report

    records = tmp_path / 'docs' / 'records'
    records.mkdir(parents=True)
    (records / 'study.json').write_text(json.dumps(report(full())))
    text = tables.render('study', tmp_path)
    assert text.startswith('| arm | AP |')
    (picture,) = tables.draw_reports(tmp_path)
    assert picture.name == 'study.png'
    assert picture.stat().st_size > 10_000
    assert '\n\n- Same start, checked for 3 seeds' in text


def test_a_brief_table_has_ap_and_its_differences_only(tmp_path):
    from tests.test_lab.test_experiment.test_comparison import full, report

    records = tmp_path / 'docs' / 'records'
    records.mkdir(parents=True)
    (records / 'study.json').write_text(json.dumps(report(full())))
    page = tables.update_tables('<!-- table: study brief -->\n<!-- /table -->\n', tmp_path)
    assert '| arm | AP | AP - STUDENT | AP - KD | seeds |\n' in page
    assert '`' in page.splitlines()[-2]
    assert 'Same start' not in page

"""What the documentation says of the files is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eakd_det.cli.composition import config_files
from tests.test_configs import catalogue

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'configs/README.md', *sorted((ROOT / 'docs').glob('*.md'))]
CONFIG = re.compile(r'\bconfigs/[\w/.-]+?\.py\b(?:\+[\w/-]+(?:\.py\b)?)?')


def test_every_arm_has_a_row_in_the_table_of_methods_and_every_config_there_exists():
    rows = [line.split(' | ') for line in (ROOT / 'docs/methods.md').read_text().splitlines() if line.startswith('| ')]
    configs = [row[3] for row in rows if len(row) == 5 and row[3] != 'config' and row[3] != '---']
    named = [name for cell in configs for name in re.findall(r'`([\w-]+)`', cell)]
    methods = catalogue.METHODS + catalogue.PUBLISHED + catalogue.DEMO_ONLY + catalogue.DENSE_ONLY
    assert sorted(named) == sorted(methods)
    on_coco = {name for cell in configs if 'COCO' in cell for name in re.findall(r'`([\w-]+)`', cell)}
    assert on_coco == set(catalogue.METHODS + catalogue.PUBLISHED)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_config_that_a_page_names_exists(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    named = {name for name in CONFIG.findall(page.read_text()) if 'my_data' not in name}
    absent = [
        str(path)
        for name in named
        for path in config_files(name)[: 1 if name.endswith('.py') and '+' in name else None]  # a method of one's own
        if not path.is_file()
    ]
    assert not absent


def test_the_pages_name_configs():
    named = [name for page in PAGES for name in CONFIG.findall(page.read_text())]
    assert {'configs/pairs/r101-r18_coco.py+ea-kd', 'configs/studies/demo.py'} <= set(named)

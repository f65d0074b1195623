"""What the documentation says of the files is so."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_configs import catalogue

ROOT = Path(__file__).parents[1]


def test_every_arm_has_a_row_in_the_table_of_methods_and_every_config_there_exists():
    rows = [line.split(' | ') for line in (ROOT / 'docs/methods.md').read_text().splitlines() if line.startswith('| ')]
    configs = [row[3] for row in rows if len(row) == 5 and row[3] != 'config' and row[3] != '---']
    named = [name for cell in configs for name in re.findall(r'`([\w-]+)`', cell)]
    assert sorted(named) == sorted(catalogue.METHODS + catalogue.PUBLISHED + catalogue.DEMO_ONLY)
    on_coco = {name for cell in configs if 'COCO' in cell for name in re.findall(r'`([\w-]+)`', cell)}
    assert on_coco == set(catalogue.METHODS + catalogue.PUBLISHED)

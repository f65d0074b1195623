"""The table of detector families: every family that is recorded to work takes three steps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / 'tools' / 'analysis_tools'))

import detector_families as families

ROOT = Path(__file__).parents[2]
ROWS = json.loads((ROOT / 'docs' / 'records' / 'families.json').read_text())['rows']
WORKING = [row['family'] for row in ROWS if row['result'] == 'works']


@pytest.mark.slow
@pytest.mark.parametrize('family', WORKING)
def test_three_steps(family):
    from mmengine.logging import MessageHub

    MessageHub.get_instance('families').update_info('epoch', 0)
    row = families.examine(family)
    if row['result'] == 'not run':
        pytest.skip(row['reason'])
    assert row['result'] == 'works', row['reason']

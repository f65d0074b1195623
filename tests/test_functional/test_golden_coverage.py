"""No golden case lies around untested."""

from __future__ import annotations

import re
from pathlib import Path

from tests import golden


def test_every_method_of_the_golden_file_has_a_test():
    tests = Path(__file__).parent.parent
    sources = [path.read_text() for room in ('test_functional', 'test_losses') for path in (tests / room).glob('*.py')]
    # What stands in golden.cases(...) or in a METHODS tuple that goes there.
    tested = re.findall(r'(?:golden\.cases\(|METHODS = \()([^)]*)\)', '\n'.join(sources))
    methods = {entry['method'] for entry in golden.entries()}
    assert len(methods) > 20
    assert not {method for method in methods if repr(method) not in '\n'.join(tested)}

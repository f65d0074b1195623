"""The console scripts reach their programs."""

from __future__ import annotations

import pytest

from eakd_det import console


@pytest.mark.parametrize(
    ('script', 'arguments', 'program'),
    [
        (console.distill, ['--help'], 'eakd-distill'),
        (console.distill, ['--demo', '--help'], 'demo.py'),
        (console.export, ['--help'], 'eakd-export'),
        (console.compare, ['--help'], 'eakd-compare'),
        (console.explore, ['--help'], 'eakd-explore'),
    ],
)
def test_scripts(monkeypatch, capsys, script, arguments, program):
    monkeypatch.setattr('sys.argv', ['script', *arguments])
    with pytest.raises(SystemExit) as end:
        script()
    assert end.value.code == 0
    assert f'usage: {program} ' in capsys.readouterr().out

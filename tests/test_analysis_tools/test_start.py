"""Every tool starts in a process of its own, whatever ops mmcv has."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eakd_det.paths import tools_dir

TOOLS = sorted((tools_dir() / 'analysis_tools').glob('*.py'))


@pytest.mark.slow
@pytest.mark.parametrize('tool', TOOLS, ids=[tool.stem for tool in TOOLS])
def test_a_tool_shows_its_help(tool, tmp_path):
    found = subprocess.run([sys.executable, str(tool), '--help'], capture_output=True, text=True, cwd=tmp_path)
    assert (found.returncode, found.stdout[:6]) == (0, 'usage:'), found.stderr

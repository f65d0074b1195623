"""The one step of a build that ``pyproject.toml`` cannot describe: configs and tools for MIM."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('configs', 'tools', 'zoo', 'model-index.yml')


class BuildWithMim(build_py):
    """Put configs and tools into ``eakd_det/.mim``, where MIM and MMEngine look for them (see ``eakd_det.paths``)."""

    def run(self) -> None:
        """Link them in an editable install, copy them otherwise."""
        super().run()
        editable = getattr(self, 'editable_mode', False)
        mim = (ROOT if editable else Path(self.build_lib)) / 'eakd_det' / '.mim'
        shutil.rmtree(mim, ignore_errors=True)
        mim.mkdir(parents=True)
        for name in MIM_FILES:
            source = ROOT / name
            if editable:
                os.symlink(os.path.relpath(source, mim), mim / name)
            elif source.is_dir():
                shutil.copytree(source, mim / name, ignore=shutil.ignore_patterns('__pycache__', 'dev'))
            else:
                shutil.copy(source, mim / name)


setup(cmdclass={'build_py': BuildWithMim})

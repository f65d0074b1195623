"""Install ``eakd_det``; all metadata is here, the version in ``eakd_det/version.py``.

torch and mmcv are not among the requirements: which build of them fits depends on the machine's CUDA version, and pip
would replace a working pair by one that does not fit. docs/install.md says how to get them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('configs', 'tools', 'model-index.yml')


def version() -> str:
    """Return ``eakd_det.__version__`` without importing the package, which needs torch."""
    scope: dict[str, str] = {}
    exec((ROOT / 'eakd_det' / 'version.py').read_text(), scope)
    return scope['__version__']


def requirements(name: str) -> list[str]:
    """Return the lines of ``requirements/<name>.txt`` without comments."""
    lines = (line.split('#')[0].strip() for line in (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines())
    return [line for line in lines if line]


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


setup(
    name='eakd_det',
    version=version(),
    description='Entropy-adaptive knowledge distillation for two-stage detectors, on MMDetection 3 and MMRazor 1',
    long_description=(ROOT / 'README.md').read_text() if (ROOT / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    packages=find_packages(include=['eakd_det', 'eakd_det.*']),
    package_data={'eakd_det': ['py.typed', 'experiment/*.json']},
    python_requires='>=3.10',
    install_requires=[*requirements('mminstall'), *requirements('runtime')],
    extras_require={'tests': requirements('tests')},
    cmdclass={'build_py': BuildWithMim},
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3.11',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    zip_safe=False,
)

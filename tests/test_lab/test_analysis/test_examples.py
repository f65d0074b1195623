"""The examples in the docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from eakd_det.lab import analysis

MODULES = [module.name for module in pkgutil.walk_packages(analysis.__path__, 'eakd_det.lab.analysis.')]


@pytest.mark.parametrize('name', MODULES)
def test_example(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0

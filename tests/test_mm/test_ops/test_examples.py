"""The examples in the docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from eakd_det.mm import ops

MODULES = [module.name for module in pkgutil.walk_packages(ops.__path__, 'eakd_det.mm.ops.')]


@pytest.mark.parametrize('name', MODULES)
def test_example(name):
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0

"""The examples in the docstrings of functions, weightings and losses print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from eakd_det import functional, losses, weighting

MODULES = [
    module.name
    for package in (functional, weighting, losses)
    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.')
]


@pytest.mark.parametrize('name', MODULES)
def test_example(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0

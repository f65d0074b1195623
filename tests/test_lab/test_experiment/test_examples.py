from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import eakd_det.lab.experiment as room

MODULES = [f'{room.__name__}.{module.name}' for module in pkgutil.iter_modules(room.__path__)]


@pytest.mark.parametrize('name', MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0

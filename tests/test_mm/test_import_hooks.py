from __future__ import annotations

import contextlib
import doctest
import importlib
import importlib.resources
import importlib.util
import sys

import pytest

from eakd_det.mm import import_hooks
from eakd_det.mm.import_hooks import around_import


@pytest.fixture
def events(tmp_path, monkeypatch):
    """A package ``hooked`` that notes its execution in a list, as the context around it does."""
    (tmp_path / 'hooked').mkdir()
    (tmp_path / 'hooked' / '__init__.py').write_text('import builtins\nbuiltins.events.append("executed")\n')
    (tmp_path / 'hooked' / 'data.txt').write_text('data')
    noted: list[str] = []
    monkeypatch.setattr('builtins.events', noted, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setattr(import_hooks._FINDER, 'around', {})
    yield noted
    sys.modules.pop('hooked', None)


@contextlib.contextmanager
def noting(events):
    events.append('before')
    try:
        yield
    finally:
        events.append('after')


def test_examples():
    sys.modules.pop('colorsys', None)
    assert doctest.testmod(import_hooks).failed == 0


def test_context_is_around_the_execution(events):
    around_import('hooked', lambda: noting(events))
    assert importlib.util.find_spec('hooked') is not None  # looking for it does not execute it
    assert events == []

    hooked = importlib.import_module('hooked')
    assert events == ['before', 'executed', 'after']
    assert importlib.resources.files('hooked').joinpath('data.txt').read_text() == 'data'

    importlib.reload(hooked)
    assert events == ['before', 'executed', 'after'] * 2


def test_a_module_that_is_there_already_is_acted_on_at_once(events):
    importlib.import_module('hooked')
    around_import('hooked', lambda: noting(events))
    assert events == ['executed', 'before', 'after']


def test_an_error_passes_and_leaves_no_module(events):
    @contextlib.contextmanager
    def failing():
        yield
        raise ImportError('no')

    around_import('hooked', failing)
    with pytest.raises(ImportError, match='no'):
        importlib.import_module('hooked')
    assert 'hooked' not in sys.modules


def test_a_module_that_does_not_exist_is_not_found(events):
    around_import('no_such_module', lambda: noting(events))
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('no_such_module')
    assert events == []

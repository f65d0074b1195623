from __future__ import annotations

import importlib.util
from typing import Any

import pytest

pytest_plugins = ['tests.fault_table']
HAS_OPENMMLAB = importlib.util.find_spec('mmengine') is not None  # the core's own tests run without


@pytest.fixture(scope='session', autouse=True)
def configs_as_they_come() -> Any:
    """Skip the formatting of configs, which MMEngine repeats for every log, dump and checkpoint."""
    if not HAS_OPENMMLAB:
        yield
        return
    from eakd_det.cli.running import formatter_module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formatter_module(), 'FormatCode', lambda text, **_: (text, True))
        yield


@pytest.fixture(autouse=True)
def scope_of_its_own() -> Any:
    """A runner sets the default scope of the whole process; no test may depend on which ran before it."""
    if not HAS_OPENMMLAB:
        yield
        return
    from mmengine.registry import DefaultScope

    before = dict(DefaultScope._instance_dict)
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)


@pytest.fixture(scope='session', autouse=True)
def metafiles_read_once() -> Any:
    """MMEngine reads a hundred files of MMDetection's for each base named ``mmdet::...``."""
    from functools import cache

    try:
        from mmengine.config import utils
    except ImportError:  # the core alone
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, 'load', cache(utils.load))
        yield

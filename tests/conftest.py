from __future__ import annotations

import functools
from typing import Any

import pytest

pytest_plugins = ['tests.fault_table']


@pytest.fixture(scope='session', autouse=True)
def quick_configs() -> Any:
    """Spare what takes most of a tiny run's time.

    MMEngine lays out a config's text anew for every log, dump and checkpoint, and reads a hundred files of MMDetection's
    for each base named ``mmdet::...``.
    """
    from mmengine.config import config, utils

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
        patch.setattr(utils, 'load', functools.cache(utils.load))
        yield


@pytest.fixture(autouse=True)
def scope_of_its_own() -> Any:
    """A runner sets the default scope of the whole process; no test may depend on which ran before it."""
    from mmengine.registry import DefaultScope

    before = dict(DefaultScope._instance_dict)
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)

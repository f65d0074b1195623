"""What building a runner changes in MMEngine."""

from __future__ import annotations

import copy

import pytest
from mmengine.config import Config

from eakd_det.cli import running


@pytest.fixture
def layouts(monkeypatch):
    """Counts how often a config is laid out."""
    texts = []
    module = running.formatter_module()
    original = getattr(module.FormatCode, '__wrapped__', module.FormatCode)

    def lay_out(text, **options):
        texts.append(text)
        return original(text, **options)

    monkeypatch.setattr(module, 'FormatCode', lay_out)
    running._cache_formatted_text()
    running._cache_formatted_text()  # a second runner in the same process
    return texts


def test_a_config_is_laid_out_once_until_it_changes(layouts):
    cfg = Config(dict(model=dict(type='FasterRCNN', depth=18)))
    first = cfg.pretty_text
    assert copy.deepcopy(cfg).pretty_text == cfg.pretty_text == first
    assert len(layouts) == 1
    cfg.model.depth = 50
    assert 'depth=50' in cfg.pretty_text
    assert len(layouts) == 2

"""MMDetection's own detectors train and detect with these ops as they do with compiled ones."""

from __future__ import annotations

import json

import pytest

from .test_finder import HERE, has_compiled_mmcv, run


def outcome(base: str, ops: str) -> dict:
    done = run(str(HERE / 'detector_step.py'), base, ops=ops)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize('base', ['faster-rcnn_r50_fpn', 'mask-rcnn_r50_fpn'])
def test_losses_gradients_and_detections(base):
    python = outcome(base, 'python')
    assert python['python']
    assert python['gradient'] > 0
    assert all(python['boxes'])
    if not has_compiled_mmcv():
        return
    stock = outcome(base, 'auto')
    assert not stock['python']
    for name, values in stock['losses'].items():
        assert python['losses'][name] == pytest.approx(values, rel=1e-4), name
    assert python['gradient'] == pytest.approx(stock['gradient'], rel=1e-3)
    for python_box, stock_box in zip(python['boxes'], stock['boxes'], strict=True):
        assert len(python_box) == len(stock_box)
        assert [x for box in python_box for x in box] == pytest.approx([x for box in stock_box for x in box], abs=0.01)

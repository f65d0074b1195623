from __future__ import annotations

import torch

from eakd_det.weighting.iterations import IterationCounter


def test_progress_stops_at_one():
    counter = IterationCounter(2)
    progress = []
    for _ in range(4):
        progress.append(counter.progress().item())
        counter.advance()
    assert progress == [0.0, 0.5, 1.0, 1.0]


def test_stands_still_in_eval_mode():
    counter = IterationCounter(2).eval()
    counter.advance()
    assert counter.count == 0


def test_is_saved():
    assert torch.equal(IterationCounter(2).state_dict()['count'], torch.tensor(0))

"""Evaluate a detector on a runner's validation data, without the runner noticing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.amp import autocast

from eakd_det.errors import ConfigError

_REPORTS = 5


def evaluate_on_validation_data(runner: Runner, detector: BaseModel, name: str) -> dict[str, float]:
    """Run ``detector`` over the validation data with an evaluator of its own, and return the metrics.

    The detector's own data preprocessor prepares the images. Modes and random numbers are as before when this returns,
    so that training goes on as if nothing had been evaluated. In a distributed run every process has to call it.

    Args:
        runner: A runner with validation data.
        detector: The detector; it need not be part of the runner's model.
        name: What the log calls it.

    Raises:
        ConfigError: If the runner has no validation data or no evaluator.
    """
    cfg = runner.cfg.get('val_evaluator')
    if cfg is None or runner.val_loop is None:
        raise ConfigError(f'val_dataloader, val_cfg, val_evaluator: the {name} needs them, but they are not set')
    loader = runner.val_loop.dataloader
    evaluator = runner.build_evaluator(copy.deepcopy(cfg))
    evaluator.dataset_meta = loader.dataset.metainfo
    every = max(len(loader) // _REPORTS, 1)
    with _as_it_was(detector), torch.no_grad():
        for index, batch in enumerate(loader, start=1):
            with autocast(enabled=runner.val_loop.fp16):
                outputs = detector.val_step(batch)
            evaluator.process(data_samples=outputs, data_batch=batch)
            if index % every == 0 or index == len(loader):
                runner.logger.info(f'Evaluating the {name}: batch {index} of {len(loader)}')
    return evaluator.evaluate(len(loader.dataset))


@contextmanager
def _as_it_was(detector: BaseModel) -> Iterator[None]:
    modes: list[tuple[Any, bool]] = [(module, module.training) for module in detector.modules()]
    detector.eval()
    try:
        with torch.random.fork_rng(devices=[]):  # a data loader draws a seed for its workers
            yield
    finally:
        for module, training in modes:
            module.training = training

"""Evaluation of a detector on a runner's validation data without side effects."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from torch.utils.data import DataLoader, Subset

from eakd_det.errors import ConfigError

_REPORTS = 5


def evaluate_on_validation_data(
    runner: Runner, detector: BaseModel, name: str, num_images: int | None = None
) -> dict[str, float]:
    """Return the metrics of ``detector`` on the validation data, from a separate evaluator.

    The detector's own data preprocessor prepares the images. Module modes and random state are restored, so that
    training is not affected. In a distributed run every process must call this function.

    Args:
        runner: A runner with validation data.
        detector: The detector; it need not be part of the runner's model.
        name: Name of the detector in the log.
        num_images: Number of images, evenly spread over the data; needs ``CocoMetric``. None is all.

    Raises:
        ConfigError: If the runner has no validation data or no evaluator.
    """
    cfg = runner.cfg.get('val_evaluator')
    if cfg is None or runner.val_loop is None:
        raise ConfigError(f'val_dataloader, val_cfg, val_evaluator: the {name} needs them, but they are not set')
    loader = runner.val_loop.dataloader
    evaluator = runner.build_evaluator(copy.deepcopy(cfg))
    evaluator.dataset_meta = loader.dataset.metainfo
    if num_images is not None:
        loader = _restricted(loader, evaluator, num_images)
    every = max(len(loader) // _REPORTS, 1)
    with _restored(detector), torch.no_grad():
        for index, batch in enumerate(loader, start=1):
            with autocast(enabled=runner.val_loop.fp16):
                outputs = detector.val_step(batch)
            evaluator.process(data_samples=outputs, data_batch=batch)
            if index % every == 0 or index == len(loader):
                runner.logger.info(f'Evaluating the {name}: batch {index} of {len(loader)}')
    return evaluator.evaluate(len(loader.dataset))


def _restricted(loader: DataLoader, evaluator: Evaluator, num_images: int) -> DataLoader:
    """Return a loader of evenly spread images, and make ``evaluator`` expect these alone."""
    dataset: Any = loader.dataset
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(num_images, len(dataset))).round().astype(int)).tolist()
    for metric in evaluator.metrics:
        if hasattr(metric, 'img_ids'):
            metric.img_ids = [dataset.get_data_info(index)['img_id'] for index in chosen]
    subset = Subset(dataset, chosen)
    return DataLoader(
        subset,
        batch_size=loader.batch_size,
        sampler=DefaultSampler(subset, shuffle=False, seed=0),
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn,
    )


@contextmanager
def _restored(detector: BaseModel) -> Iterator[None]:
    modes: list[tuple[Any, bool]] = [(module, module.training) for module in detector.modules()]
    detector.eval()
    try:
        with torch.random.fork_rng(devices=[]):  # a data loader draws a seed for its workers
            yield
    finally:
        for module, training in modes:
            module.training = training

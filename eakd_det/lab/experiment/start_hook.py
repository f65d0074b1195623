"""A hook that records the start of a run, so that identical starts can be verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from eakd_det.arguments import Count, checked
from eakd_det.files import write_json

START_NAME = 'start.json'
_ARCHITECTURE = 'architecture.'  # the student in MMRazor's own algorithms


class StartHook(Hook):
    """Writes checksums of the student's initial weights and of the first batches to ``<work_dir>/start.json``.

    Two runs with the same checksums started from the same student and got the same images (ids and pixels, so with the
    same augmentation) in the same order. A resumed run keeps the file of its first start. In a distributed run the
    first process records its own batches.

    Args:
        batches: Number of batches. Defaults to 8.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.StartHook')]  # tools/experiment.py adds it by itself
    """

    priority = 'VERY_HIGH'

    @checked
    def __init__(self, batches: Count = 8) -> None:
        self.batches = batches
        self._weights: str | None = None
        self._seen: Any = hashlib.sha256()
        self._count = 0

    def before_train(self, runner: Runner) -> None:
        """Compute the checksum of the weights, unless the run is resumed."""
        self._weights = None
        if runner.iter == 0 and is_main_process():
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            self._weights = weights_digest(model.state_dict())
            self._seen, self._count = hashlib.sha256(), 0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Add one of the first batches to the checksum."""
        if self._weights is not None and self._count < self.batches:
            _add_batch(self._seen, data_batch)
            self._count += 1
            if self._count == min(self.batches, runner.max_iters):
                start = dict(student=self._weights, batches=self._seen.hexdigest(), number_of_batches=self._count)
                write_json(Path(runner.work_dir) / START_NAME, start)


def weights_digest(state_dict: Mapping[str, Tensor]) -> str:
    """Return a checksum of a student's weights: names, types, shapes and bits, independent of order and device.

    In an algorithm of MMRazor, only the weights under ``architecture.`` count.

    Example:
        >>> import torch
        >>> a, b = {'w': torch.ones(2), 'b': torch.zeros(1)}, {'b': torch.zeros(1), 'w': torch.ones(2)}
        >>> weights_digest(a) == weights_digest(b), weights_digest(a) == weights_digest({'w': torch.ones(2)})
        (True, False)
    """
    inner = {name[len(_ARCHITECTURE) :]: value for name, value in state_dict.items() if name.startswith(_ARCHITECTURE)}
    digest = hashlib.sha256()
    for name, value in sorted((inner or state_dict).items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        digest.update(_bits(value))
    return digest.hexdigest()


def _add_batch(digest: Any, batch: Mapping[str, Any]) -> None:
    for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
        digest.update(f'{sample.metainfo.get("img_id")} {tuple(image.shape)}\n'.encode())
        digest.update(_bits(image))


def _bits(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()

"""Hooks that observe proposals at intervals during training: one writes numbers, one draws pictures."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.arguments import Count, Positive, checked
from eakd_det.distillation import ProposalDistill, ProposalDistiller, StepObservation
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.lab.analysis.proposal_pictures import draw_weighted_proposals, to_array
from eakd_det.lab.analysis.step_record import record_step

RECORD_NAME = 'proposal_entropy.jsonl'


class ObservingHook(Hook):
    """Observes the first step and every ``interval``-th one after it, in the main process only.

    Subclasses implement :meth:`seen`. Other steps cost nothing.

    Args:
        interval: Number of iterations between two observed steps.

    Raises:
        ConfigError: If ``interval`` is not an integer above 0, or (when training starts) the model does not distil
            proposals.
    """

    priority = 'LOW'

    @checked
    def __init__(self, interval: Count) -> None:
        self.interval = interval
        self._observation: StepObservation | None = None

    def before_train(self, runner: Runner) -> None:
        """Check that the model distils proposals."""
        _distiller(runner, type(self).__name__)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Observe the next step if it is due."""
        if runner.iter % self.interval == 0 and is_main_process():
            self._observation = _distiller(runner, type(self).__name__).observe_next_step()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Process the observed step and release it."""
        if self._observation is None:
            return
        _distiller(runner, type(self).__name__).observer = None
        observation, self._observation = self._observation, None
        if observation.step is not None:  # MMRazor's StopDistillHook may have ended distillation
            self.seen(runner, observation, data_batch)

    def seen(self, runner: Runner, observation: StepObservation, data_batch: Any) -> None:
        """Process an observed step."""
        raise NotImplementedError


class ProposalEntropyHook(ObservingHook):
    """Writes entropies of both networks and loss shares of the entropy quartiles to ``proposal_entropy.jsonl``.

    The file in the work folder gets one short line for each observed step, whatever the visualizer backends;
    ``eakd-analyze training`` draws it. A resumed run continues it from the checkpoint.

    Args:
        interval: Number of iterations between two lines. Defaults to 50.
        tau: Temperature of the entropies, which should be the same for all arms of a comparison. Defaults to 3.0.

    Raises:
        ConfigError: If ``interval`` or ``tau`` is out of range, or the model does not distil proposals.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.ProposalEntropyHook', interval=50)]
    """

    @checked
    def __init__(self, interval: Count = 50, tau: Positive = 3.0) -> None:
        super().__init__(interval)
        self.tau = tau

    def before_train(self, runner: Runner) -> None:
        """Start the file, or truncate it to the iteration at which training resumes."""
        super().before_train(runner)
        if is_main_process():
            path = Path(runner.work_dir) / RECORD_NAME
            lines = path.read_text().splitlines(keepends=True) if path.is_file() and runner.iter else []
            whole = [line for line in lines if line.endswith('\n')]  # the last may be incomplete
            kept = [line for line in whole if json.loads(line)['iter'] <= runner.iter]
            write_atomically(path, ''.join(kept).encode())

    def seen(self, runner: Runner, observation: StepObservation, data_batch: Any) -> None:
        """Append a line."""
        row = record_step(observation, self.tau)
        if row:
            with (Path(runner.work_dir) / RECORD_NAME).open('a') as file:
                file.write(json.dumps({'iter': runner.iter + 1, **row}) + '\n')


class ProposalWeightVisualizationHook(ObservingHook):
    """Sends pictures of weighted proposals to the visualizer's backends: files, TensorBoard, Weights & Biases.

    Only active if listed in ``custom_hooks``. A picture takes about half a second.

    Args:
        interval: Number of iterations between two pictures. Defaults to 500.
        loss: Name of the loss whose weights are drawn. Defaults to None, the first one that has weights.
        num_images: Number of images of the batch to draw. Defaults to 1.

    Raises:
        ConfigError: If ``interval`` or ``num_images`` is not an integer above 0, or the model does not distil
            proposals.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.ProposalWeightVisualizationHook', interval=500)]
        >>> vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    """

    @checked
    def __init__(self, interval: Count = 500, loss: str | None = None, num_images: Count = 1) -> None:
        super().__init__(interval)
        self.loss = loss
        self.num_images = num_images

    def seen(self, runner: Runner, observation: StepObservation, data_batch: Any) -> None:
        """Draw the first images of the batch."""
        step = observation.step
        if step is None:
            return
        names = [name for name, terms in observation.terms.items() if terms.unit == 'site']
        name = self.loss or next(iter(names), None)
        if name not in names:
            message = f'{type(self).__name__}.loss: {name!r} has no weights of proposals; losses with weights: {names}'
            print_log(message, logger='current', level=logging.WARNING)
            return
        weights = observation.terms[name].weights.double().numpy(force=True)
        images, boxes = step.sites.image.numpy(force=True), step.boxes.numpy(force=True)
        is_object = step.sites.is_object.numpy(force=True)
        limits = (float(weights.min(initial=0)), float(weights.max(initial=1)))
        for index, image in enumerate(list(data_batch['inputs'])[: self.num_images]):
            rows = images == index
            title = f'{name}: weights at iteration {runner.iter + 1}'
            facts = boxes[rows], weights[rows], is_object[rows]
            figure = draw_weighted_proposals(_rgb(image.numpy(force=True)), *facts, title, limits)
            runner.visualizer.add_image(f'proposal_weights_{index}', to_array(figure), step=runner.iter + 1)


def _distiller(runner: Runner, hook: str) -> ProposalDistiller:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if not isinstance(model, ProposalDistill):
        raise ConfigError(
            f'custom_hooks: {hook} expects model.type to be eakd_det.ProposalDistill, but got {type(model).__name__}; '
            'remove the hook'
        )
    return model.distiller


def _rgb(image: np.ndarray) -> np.ndarray:
    """Convert an image from ``(3, height, width)`` BGR, as MMDetection reads it, to ``(height, width, 3)`` RGB."""
    return np.ascontiguousarray(image[::-1].transpose(1, 2, 0))

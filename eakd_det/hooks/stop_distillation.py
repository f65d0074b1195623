"""End distillation before the training ends."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.arguments import Fraction, checked


class StopDistillationHook(Hook):
    """End distillation after a fraction of the iterations; the student then trains by its own losses.

    A teacher helps a student that is far below it and may hold back one that is about to pass it (Cho and Hariharan,
    "On the Efficacy of Knowledge Distillation", ICCV 2019). After the end the teacher no longer runs, so a step takes
    as long as without distillation. MMRazor's ``StopDistillHook`` does the same at an epoch; this one also works in
    runs that count iterations. It does nothing in a run without a teacher, because the options of ``eakd-distill`` go
    to every step.

    Args:
        at: Fraction of all iterations after which distillation ends, above 0 and below 1. Defaults to 0.5.

    Raises:
        ConfigError: If ``at`` is out of range.

    Example:
        >>> default_hooks = dict(stop_distillation=dict(type='eakd_det.StopDistillationHook', at=0.5))
    """

    priority = 'LOW'

    @checked
    def __init__(self, at: Fraction = 0.5) -> None:
        self.at = at

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Stop at the first iteration after the fraction, also of a resumed run."""
        model: Any = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not getattr(model, 'distillation_stopped', True) and runner.iter >= self.at * runner.max_iters:
            runner.logger.info(f'Distillation ends after {runner.iter} of {runner.max_iters} iterations.')
            model.distillation_stopped = True

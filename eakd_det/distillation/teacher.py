"""The frozen teacher: runs what distillation needs of it and nothing else, and never changes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from mmdet.models import BaseDetector, BBoxHead
from mmdet.structures import DetDataSample
from mmengine.logging import print_log
from torch import Tensor, nn

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file, load_detector_weights
from eakd_det.distillation.answer_translation import AnswerTranslation
from eakd_det.distillation.class_map import ClassMap
from eakd_det.distillation.detectors import box_forward, box_head, num_foreground_classes
from eakd_det.distillation.input_translation import InputTranslation
from eakd_det.distillation.proposals import ProposalOutputs
from eakd_det.distillation.taps import EmbeddingTap
from eakd_det.distillation.teacher_options import TeacherOptions
from eakd_det.errors import ConfigError


class FrozenTeacher:
    """A trained detector that only answers for given proposals: backbone, neck, box head. No RPN, no assigner, no loss.

    Deliberately not a ``nn.Module``: it stays out of the algorithm's parameters, state dict, optimizer, EMA,
    DDP buckets and ``train()``, because it is never registered there. A deep copy of the algorithm shares it.

    Args:
        detector: The teacher.
        checkpoint: Path or URL of its weights; every key must match. None keeps the weights it has.
        student_preprocessor: What normalises the batch that arrives here.
        stage: Which box head to ask, in a cascade.
        key: Name of the checkpoint's config key, for messages.
        options: How to make it cheaper to ask. Defaults to :class:`TeacherOptions`' defaults.
        recorded: Sources of the recorders on it; what they look into stays as it was built.

    Attributes:
        detector: The detector itself, in eval mode and without gradients.
        classes: Class names of its training data, if its checkpoint tells them.

    Raises:
        ConfigError: If the checkpoint is missing, unreadable, unsafe to read or of another architecture, or if it
            names another number of classes than the detector has.
    """

    def __init__(
        self,
        detector: BaseDetector,
        checkpoint: str | None,
        student_preprocessor: nn.Module,
        stage: int = -1,
        key: str = 'model.teacher_ckpt',
        options: TeacherOptions | None = None,
        recorded: Iterable[str] = (),
    ) -> None:
        self.detector = detector
        recorded = tuple(recorded)
        self.options = (options or TeacherOptions()).decided_for(detector, recorded)
        self.classes: tuple[str, ...] | None = None
        if checkpoint:
            self._load(checkpoint, key)
        self._stage = stage
        self._translation = InputTranslation(student_preprocessor, detector.data_preprocessor)
        self._answers: AnswerTranslation | None = None
        self._owns_detector = True
        self.options.prepare(detector, recorded)

    def _load(self, checkpoint: str, key: str) -> None:
        content = load_checkpoint_file(checkpoint, key=key)
        report = load_detector_weights(self.detector, content, key=key, source=checkpoint)
        print_log(f'{key}: teacher loaded from {checkpoint}: {report}', logger='current')
        self.detector._is_init = True  # or Runner's init_weights would overwrite what was loaded
        self.classes = checkpoint_classes(content)
        count = num_foreground_classes(self.detector)
        if self.classes is not None and len(self.classes) != count:
            raise ConfigError(
                f'{key}: {checkpoint} was trained on {len(self.classes)} classes, '
                f'but teacher.roi_head.bbox_head.num_classes is {count}'
            )

    def answer_as(self, student_head: BBoxHead, class_map: ClassMap | None) -> None:
        """From now on answer in the classes and box units of ``student_head``."""
        self._answers = AnswerTranslation(student_head, box_head(self.detector, self._stage), class_map)

    @torch.no_grad()
    def answer(
        self,
        images: Tensor,
        data_samples: Sequence[DetDataSample],
        rois: Tensor,
        with_embeddings: bool = False,
        with_boxes: bool = False,
    ) -> ProposalOutputs:
        """Classify the proposals ``rois`` ``(R, 5)`` on ``images`` as the student's preprocessor made them.

        ``with_boxes`` adds box deltas, and a way to ask about the same proposals on other features.
        Uses ``no_grad`` and not ``inference_mode``: the student's backward keeps tensors that derive from the answer.
        """
        if self.detector.training:  # someone called train() on the detector directly
            self.detector.eval()
        images = self.options.arrange(self._translation(images, data_samples))
        head = box_head(self.detector, self._stage)
        with self.options.running(images.device), EmbeddingTap(head, with_embeddings) as tap:
            results = box_forward(self.detector, self._stage, self.detector.extract_feat(images), rois)
        logits, deltas = self._translate(results, with_boxes)
        predict = functools.partial(self._predict, rois) if with_boxes else None
        return ProposalOutputs(logits, tap.embeddings, deltas, predict)

    def _predict(self, rois: Tensor, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Ask about ``rois`` on features that are not the teacher's own; gradients pass through to these."""
        with self.options.running(rois.device):
            results = box_forward(self.detector, self._stage, features, rois)
        return self._translate(results, with_boxes=True)  # type: ignore[return-value]

    def _translate(self, results: dict[str, Tensor], with_boxes: bool) -> tuple[Tensor, Tensor | None]:
        logits, deltas = results['cls_score'], results['bbox_pred'] if with_boxes else None
        if self._answers is None:
            return logits, deltas
        return self._answers.logits(logits), None if deltas is None else self._answers.deltas(deltas, logits)

    def apply(self, function: Callable[[Tensor], Tensor]) -> None:
        """Move or cast the teacher along with the algorithm that owns it."""
        if self._owns_detector:
            self.detector._apply(function)
            # A preprocessor remembers its device by itself, and learns of a move from the detector's `to` alone.
            self.detector._set_device(next(self.detector.parameters()).device)
            self._translation._apply(function)
            if self._answers is not None:
                self._answers._apply(function)

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTeacher:
        """A frozen thing needs no copy: an EMA of the algorithm would double the memory for nothing."""
        shared = object.__new__(FrozenTeacher)
        shared.__dict__.update(self.__dict__, _owns_detector=False)
        return shared

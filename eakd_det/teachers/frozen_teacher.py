"""A trained detector that never changes and runs only the parts that distillation needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.structures import DetDataSample
from mmengine.logging import print_log
from torch import Tensor, nn

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file, load_detector_weights
from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps
from eakd_det.plurals import counted
from eakd_det.sites import WANTED, HeadPredictor, Prediction, SiteHead, Sites, Translation, Wanted
from eakd_det.teachers.class_map import ClassMap
from eakd_det.teachers.input_translation import InputTranslation
from eakd_det.teachers.options import TeacherOptions


class FrozenTeacher:
    """Predicts at given sites with a trained detector's backbone, neck and head; no RPN, no assigner, no loss.

    It is not an ``nn.Module``, so that it stays out of the algorithm's parameters, state dict, optimizer, EMA, DDP
    buckets and ``train()``. A deep copy of the algorithm shares it.

    Args:
        head: The teacher's head.
        checkpoint: Path or URL of the teacher's weights; every key must match. None keeps the weights of the detector.
        student_preprocessor: The preprocessor that normalises the batch.
        key: Config key of the checkpoint, for messages.
        options: How to make the teacher cheaper to run.
        recorded: Sources of the recorders on the teacher; the parts they record stay as they were built.

    Attributes:
        detector: The detector, in eval mode and without gradients.
        classes: Class names of its training data, if its checkpoint has them.

    Raises:
        ConfigError: If the checkpoint is missing, unreadable, unsafe, of another architecture or of another number of
            classes.
    """

    def __init__(
        self,
        head: SiteHead,
        checkpoint: str | None,
        student_preprocessor: nn.Module,
        key: str = 'model.teacher_ckpt',
        options: TeacherOptions | None = None,
        recorded: Iterable[str] = (),
    ) -> None:
        self._head = head
        self.detector: BaseDetector = head.detector
        recorded = tuple(recorded)
        self.options = (options or TeacherOptions()).decided_for(self.detector, recorded)
        self.classes: tuple[str, ...] | None = None
        if checkpoint:
            self._load(checkpoint, key)
        self._pixels = InputTranslation(student_preprocessor, self.detector.data_preprocessor)
        self._translation: Translation | None = None
        self._owns_detector = True
        self.options.prepare(head, recorded)

    def _load(self, checkpoint: str, key: str) -> None:
        content = load_checkpoint_file(checkpoint, key=key)
        report = load_detector_weights(self.detector, content, key=key, source=checkpoint)
        print_log(f'{key}: teacher loaded from {checkpoint}: {report}', logger='current')
        self.detector._is_init = True  # keeps Runner's init_weights from overwriting the loaded weights
        self.classes = checkpoint_classes(content)
        count = self._head.scores.num_classes
        if self.classes is not None and len(self.classes) != count:
            raise ConfigError(
                f'{key}: {checkpoint} was trained on {counted(len(self.classes), "class")}, '
                f'but {self._head.key}.num_classes is {count}'
            )

    def set_target_classes(self, student: SiteHead, class_map: ClassMap | None) -> None:
        """Translate all further predictions to the classes and box units of ``student``."""
        self._translation = self._head.translation_to(student, None if class_map is None else class_map.groups)

    @torch.no_grad()
    def see(
        self,
        images: Tensor,
        data_samples: Sequence[DetDataSample],
        wanted: Wanted = WANTED,
    ) -> Callable[[Sites], Prediction]:
        """Run the teacher on ``images``, ``(B, 3, H, W)``, as far as it needs no sites, and return the rest.

        It uses ``no_grad`` and not ``inference_mode`` because the student's backward saves tensors derived from the
        prediction.

        Args:
            images: The batch, normalised by the student's preprocessor.
            data_samples: The sizes of the images before padding.
            wanted: What will be read of the prediction; for corners, boxes.
        """
        if self.detector.training:  # train() was called on the detector itself
            self.detector.eval()
        images = self.options.arrange(self._pixels(images, data_samples))
        with self.options.autocast(images.device):
            return self._head.begin(self.detector.extract_feat(images), wanted)

    @torch.no_grad()
    def predict(
        self,
        seen: Callable[[Sites], Prediction],
        sites: Sites,
        boxes: bool = False,
        places: Tensor | None = None,
    ) -> Prediction:
        """Predict at ``sites``.

        Args:
            seen: What :meth:`see` returned for the batch.
            sites: The places.
            boxes: Whether to return boxes.
            places: Boxes of the sites, from the student's head, to return corners as well; None returns none.
        """
        with self.options.autocast(sites.image.device):
            prediction = seen(sites)
        if places is not None:
            prediction = self._head.with_corners(prediction, sites, places)
        return self._translate(prediction if boxes else replace(prediction, boxes=None))

    def predictor(self, sites: Sites) -> HeadPredictor:
        """Return the teacher's head as a function of features at ``sites``; gradients reach the features."""

        def predict(features: Sequence[Tensor] | InnerMaps) -> tuple[Tensor, Tensor | None]:
            with self.options.autocast(sites.image.device):
                prediction = self._head.predict(features, sites)
            translated = self._translate(prediction)
            return translated.logits, translated.boxes

        return predict

    def _translate(self, prediction: Prediction) -> Prediction:
        return prediction if self._translation is None else self._translation(prediction)

    def apply(self, function: Callable[[Tensor], Tensor]) -> None:
        """Move or cast the teacher with the algorithm that owns it."""
        if self._owns_detector:
            self.detector._apply(function)
            # A preprocessor stores its device, which only the detector's `to` updates.
            self.detector._set_device(next(self.detector.parameters()).device)
            self._pixels._apply(function)
            if self._translation is not None:
                self._translation._apply(function)

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTeacher:
        """Share the detector, so that an EMA of the algorithm does not double its memory."""
        shared = object.__new__(FrozenTeacher)
        shared.__dict__.update(self.__dict__, _owns_detector=False)
        return shared

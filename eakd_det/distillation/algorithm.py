"""One training step: the student's losses, the teacher's prediction at the same sites, the distillation losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmrazor.models import BaseAlgorithm
from mmrazor.models.utils import add_prefix
from torch import Tensor, nn

from eakd_det.arguments import checked
from eakd_det.building import build_model
from eakd_det.distillation import student_state
from eakd_det.distillation.gradient_ratio import GradientRatio, neck_levels
from eakd_det.distillation.inheritance import Inheritance
from eakd_det.distillation.loss_sums import total_loss, zero_loss
from eakd_det.distillation.observation import Step
from eakd_det.distillation.parts import attach_recorders, build_parts
from eakd_det.distillation.proposal_recorder import resumed
from eakd_det.distillation.student_options import StudentOptions
from eakd_det.sites import Prediction, Sites, Wanted
from eakd_det.teachers import ClassMap, FrozenTeacher, TeacherOptions


class ProposalDistill(BaseAlgorithm):
    """Distils a detector by its class logits at the sites of its loss (EA-KD's setting for detection).

    The student trains as in stock MMDetection; the sites of its loss (the proposals of a two-stage detector) and its
    prediction there are recorded on the way. The teacher predicts at the same sites, and the distiller compares
    both::

        teacher: backbone + neck                                  first, before the student's graph takes memory
        student.loss --> sites and the student's prediction       the head runs once
        teacher: head at these sites                              no RPN, no assigner, no loss
        distiller: weight_n * divergence_n --> mean

    Args:
        architecture: The student: a model dict, a config file or ``dict(cfg_path=...)``.
        teacher: The teacher, likewise.
        distiller: Config of a :class:`ProposalDistiller`.
        teacher_ckpt: Path or URL of the teacher's weights, loaded strictly. None keeps the weights it was built with
            (for tests, or with ``cfg_path`` and ``pretrained=True``).
        student_stage: Index of the head to distil in a student with several, such as a cascade; -1 is the last.
        teacher_stage: Index of the head with which the teacher predicts, likewise.
        teacher_options: See :class:`TeacherOptions`; ``dict(enabled=False)`` runs the teacher exactly as MMDetection
            built it.
        student_options: See :class:`StudentOptions`; ``dict(channels_last=False)`` runs the student exactly as
            MMDetection does, to the bit.
        class_map: Correspondence of the teacher's classes to the student's, see :class:`ClassMap`. None if both have
            the same classes in the same order.
        student_classes: Names of the student's classes in the order of its data, which a dict in ``class_map`` needs;
            set from the config's ``classes`` if there is one.
        unmapped_classes: Treatment of the teacher's classes that ``class_map`` leaves out. 'background' adds their
            probability to that of background, which is the label of such objects in the student's data; 'drop'
            drops them and renormalises.
        inherit: Parts of the student, such as ``['backbone', 'neck', 'rpn_head', 'roi_head']``, that start with the
            weights of ``teacher_ckpt``, where shapes fit or the teacher is wider, see :func:`inherit_weights`. This is
            done when weights are initialised; a resumed or loaded checkpoint replaces them. None inherits nothing.
        gradient_ratio: Arguments of :class:`GradientRatio`, such as ``dict(target=0.5)``, which then sets the size of
            the distillation loss. None leaves it to the ``loss_weight`` of each loss.
        module_inplace: Whether in-place activations stay as they are. None turns them off only if a recorder of the
            config could keep a tensor that such an activation would overwrite.
        data_preprocessor: As in MMRazor; None is the student's.
        init_cfg: As in MMEngine.

    Attributes:
        distillation_stopped: Set by :class:`StopDistillationHook` or MMRazor's ``StopDistillHook``; the teacher then
            no longer runs.

    Raises:
        ConfigError: If student or teacher has no head that can be distilled, the two heads do not match, or the
            teacher's checkpoint does not match the teacher.

    Example:
        >>> model = dict(
        ...     type='eakd_det.ProposalDistill',
        ...     architecture='mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
        ...     teacher='mmdet::faster_rcnn/faster-rcnn_r101_fpn_ms-3x_coco.py',
        ...     teacher_ckpt='faster_rcnn_r101.pth',
        ...     distiller=dict(
        ...         type='eakd_det.ProposalDistiller',
        ...         distill_losses=dict(loss_kd=dict(
        ...             type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting')))))
    """

    config_key = 'model'

    @checked
    def __init__(
        self,
        architecture: Any,
        teacher: Any,
        distiller: Any,
        teacher_ckpt: str | None = None,
        student_stage: int = -1,
        teacher_stage: int = -1,
        teacher_options: dict[str, Any] | None = None,
        student_options: dict[str, Any] | None = None,
        class_map: dict[str, Any] | Sequence[Any] | None = None,
        student_classes: Sequence[str] | None = None,
        unmapped_classes: str = 'background',
        inherit: Sequence[str] | None = None,
        gradient_ratio: dict[str, Any] | None = None,
        module_inplace: bool | None = None,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        same_classes = class_map is None
        parts = build_parts(architecture, teacher, distiller, (student_stage, teacher_stage), same_classes)
        student = parts.student.detector
        super().__init__(student, data_preprocessor, init_cfg, module_inplace=True)
        self._student_head, self.distiller = parts.student, parts.distiller
        self._inheritance = None
        if inherit is not None:
            self._inheritance = Inheritance.from_config(student, inherit, teacher_ckpt, same_classes)
        StudentOptions.from_config(student_options).prepare(student, self.distiller.student_sources)
        self._teacher = FrozenTeacher(
            parts.teacher,
            teacher_ckpt,
            self.data_preprocessor,
            options=TeacherOptions.from_config(teacher_options),
            recorded=self.distiller.teacher_sources,
        )
        self.class_map: ClassMap | None = None
        if class_map is not None:
            student_side = parts.student.scores.num_classes, student_classes
            teacher_side = parts.teacher.scores.num_classes, self._teacher.classes
            self.class_map = ClassMap.resolve(class_map, unmapped_classes, *student_side, *teacher_side)
        self._teacher.set_target_classes(parts.student, self.class_map)
        attach_recorders(self.distiller, student, self.teacher, module_inplace)
        self.gradient_ratio: GradientRatio | None = None
        if gradient_ratio is not None:
            self.gradient_ratio = build_model(dict(type=GradientRatio, **gradient_ratio))
        self.distillation_stopped = False
        student_state.install(self)

    @property
    def student(self) -> BaseDetector:
        """The detector that is trained, MMRazor's ``architecture``."""
        return self.architecture

    @property
    def teacher(self) -> BaseDetector:
        """The frozen detector, which is not a submodule of the algorithm."""
        return self._teacher.detector

    @property
    def teacher_classes(self) -> tuple[str, ...] | None:
        """Class names of the teacher's training data, if its checkpoint has them."""
        return self._teacher.classes

    @property
    def teacher_options(self) -> TeacherOptions:
        """The options with which the teacher runs."""
        return self._teacher.options

    def init_weights(self) -> None:
        """Initialise the weights as MMEngine does, then inherit the teacher's if ``inherit`` is set."""
        is_loaded = self.is_init or self.student.is_init
        super().init_weights()
        if self._inheritance is not None:
            self._inheritance.apply(self.student, is_loaded)

    def loss(self, batch_inputs: Tensor, data_samples: Sequence[DetDataSample] | None = None) -> dict[str, Tensor]:
        """Compute one step's losses and statistics, with the prefixes ``student.`` and ``distill.``."""
        samples = list(data_samples or [])
        if self.distillation_stopped:
            student_losses = self.student(batch_inputs, samples, mode='loss')
            return _with_prefixes(student_losses, zero_loss(self.distiller))
        # The teacher looks first: later the student's graph would take memory beside its activations.
        wanted = self.distiller.wanted
        with self.distiller.teacher_recorders:
            seen = self._teacher.see(batch_inputs, samples, wanted)
        # The student's own loss; its sites, and its prediction there, are recorded on the way.
        ratio = self.gradient_ratio
        measured: AbstractContextManager[list[Tensor]] = nullcontext([]) if ratio is None else neck_levels(self.student)
        watched_head = self._student_head.watch(wanted)
        with self.distiller.student_recorders, watched_head as watched, measured as levels:
            student_losses = self.student(batch_inputs, samples, mode='loss')
        if not len(watched.sites):  # MMDetection omits losses of the head
            student_losses = {**student_losses, **zero_loss(self.student)}
        # The teacher predicts at the same sites, and the distiller compares both predictions.
        size = (batch_inputs.shape[2], batch_inputs.shape[3])
        self._record_predictions(seen, samples, size, watched.sites, watched.prediction)
        distill_losses = self.distiller.compute_distill_losses()
        if ratio is not None and levels:
            distill_losses = ratio.scale(levels, distill_losses, student_losses)
        statistics = self.distiller.end_step(total_loss(distill_losses).detach(), total_loss(student_losses).detach())
        if ratio is not None:
            statistics = {**statistics, **ratio.log_values()}
        return _with_prefixes(student_losses, {**distill_losses, **statistics})

    def _record_predictions(
        self,
        seen: Callable[[Sites], Prediction],
        samples: list[DetDataSample],
        size: tuple[int, int],
        sites: Sites,
        student: Prediction,
    ) -> None:
        """Predict with the teacher at the student's sites, and record both predictions for the distiller's losses."""
        places = None
        if self.distiller.needs_corners:
            places = self._student_head.boxes(sites)
            student = self._student_head.with_corners(student, sites, places)
        with resumed(self.distiller.teacher_recorders):
            teacher = self._teacher.predict(seen, sites, self.distiller.needs_boxes, places)
        predictors = self._student_head.predictor(sites), self._teacher.predictor(sites)
        gt_boxes = [get_box_tensor(sample.gt_instances.bboxes) for sample in samples]
        self.distiller.record_step(Step(self._student_head, sites, student, teacher, gt_boxes, size), predictors)

    @torch.no_grad()
    def observe(self, batch_inputs: Tensor, data_samples: Sequence[DetDataSample], embeddings: bool = False) -> Step:
        """Predict with both networks as in a training step, without distillation losses and gradients.

        Call ``train()`` first for the behaviour of a training step; BatchNorm then updates its running statistics.

        Args:
            batch_inputs: Images from the algorithm's ``data_preprocessor``.
            data_samples: Their annotations.
            embeddings: Whether to return the embeddings of both networks.
        """
        wanted = Wanted(embeddings)
        seen = self._teacher.see(batch_inputs, data_samples, wanted)
        with self._student_head.watch(wanted) as watched:
            self.student(batch_inputs, list(data_samples), mode='loss')
        teacher = self._teacher.predict(seen, watched.sites)
        return Step(self._student_head, watched.sites, watched.prediction, teacher)

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **kwargs: Any) -> ProposalDistill:
        super()._apply(fn, *args, **kwargs)
        self._teacher.apply(fn)
        return self


def _with_prefixes(student: dict[str, Any], distillation: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**add_prefix(student, 'student'), **add_prefix(distillation, 'distill')}

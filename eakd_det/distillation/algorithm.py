"""One training step: the student's losses, the teacher's answer for the same proposals, the distillation losses."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.structures import DetDataSample
from mmrazor.models import BaseAlgorithm
from mmrazor.models.utils import add_prefix
from torch import Tensor, nn

from eakd_det.arguments import checked
from eakd_det.building import build_model
from eakd_det.distillation import student_state
from eakd_det.distillation.class_lists import require_same_class_count
from eakd_det.distillation.class_map import ClassMap
from eakd_det.distillation.detectors import (
    box_forward,
    box_head,
    build_detector,
    num_foreground_classes,
    require_stage,
)
from eakd_det.distillation.distiller import ProposalDistiller
from eakd_det.distillation.proposals import SampledProposals
from eakd_det.distillation.student_options import StudentOptions
from eakd_det.distillation.taps import ProposalTap
from eakd_det.distillation.teacher import FrozenTeacher
from eakd_det.distillation.teacher_options import TeacherOptions
from eakd_det.errors import ConfigError


class ProposalDistill(BaseAlgorithm):
    """Distils a two-stage detector by the class logits of its proposals (EA-KD's setting for detection).

    The student trains as in stock MMDetection; the proposals its RoI loss was computed on, their logits and labels are
    read on the way. The teacher then classifies the same boxes, and the distiller compares both::

        student.loss --> rois, labels, student logits          the box head runs once
        teacher: backbone + neck --> box head on these rois    no RPN, no assigner, no loss
        distiller: weight_n * divergence_n --> mean

    Args:
        architecture: The student: a model dict, a config file or ``dict(cfg_path=...)``.
        teacher: The teacher, likewise.
        teacher_ckpt: Path or URL of the teacher's weights, loaded strictly. None leaves it as it was built (for
            tests, or with ``cfg_path`` and ``pretrained=True``).
        distiller: Config of a :class:`ProposalDistiller`.
        student_stage: Which box head's proposals to distil, if the student is a cascade. Defaults to -1, the last.
        teacher_stage: Which box head of the teacher answers, if it is a cascade. Defaults to -1.
        teacher_options: How to make the teacher cheaper to ask, see :class:`TeacherOptions`;
            ``dict(enabled=False)`` runs it exactly as MMDetection built it.
        student_options: How to make the student's step cheaper, see :class:`StudentOptions`;
            ``dict(channels_last=False)`` runs it exactly as MMDetection does, to the bit.
        class_map: Which classes of the teacher stand for each class of the student, if their lists differ, see
            :class:`ClassMap`. Defaults to None: both have the same classes in the same order.
        student_classes: Names of the student's classes in the order of its data, which a dict in ``class_map`` needs;
            set from the config's ``classes`` where there are any. Defaults to None.
        unmapped_classes: What becomes of the teacher's classes that ``class_map`` leaves out. 'background' adds their
            probability to the background's, which is the label such objects have in the student's data; 'drop'
            leaves them out and renormalises. Defaults to 'background'.
        module_inplace: Whether in-place activations stay as they are. None (the default) turns them off only if a
            recorder of the user's could keep a tensor that such an activation would overwrite.
        data_preprocessor: As in MMRazor; the student's own by default.
        init_cfg: As in MMEngine.

    Attributes:
        distillation_stopped: Set by MMRazor's ``StopDistillHook``; the teacher then no longer runs.

    Raises:
        ConfigError: If student or teacher are not two-stage detectors with softmax box heads, have different classes,
            or the teacher's checkpoint does not fit.

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
        module_inplace: bool | None = None,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        student = build_detector(architecture, 'model.architecture')
        super().__init__(student, data_preprocessor, init_cfg, module_inplace=True)
        with _random_state_kept():
            teacher_detector = build_detector(teacher, 'model.teacher')
            self.distiller: ProposalDistiller = build_model(distiller)
        if not isinstance(self.distiller, ProposalDistiller):
            raise ConfigError(
                f"model.distiller.type: expected 'eakd_det.ProposalDistiller', but got {type(self.distiller).__name__}"
            )
        require_stage(student, student_stage, 'model.student_stage')
        require_stage(teacher_detector, teacher_stage, 'model.teacher_stage')
        if class_map is None:
            require_same_class_count(student, teacher_detector, (student_stage, teacher_stage))
        self._student_stage = student_stage
        StudentOptions.from_config(student_options).prepare(student, self.distiller.student_sources)
        self._teacher = FrozenTeacher(
            teacher_detector,
            teacher_ckpt,
            self.data_preprocessor,
            teacher_stage,
            options=TeacherOptions.from_config(teacher_options),
            recorded=self.distiller.teacher_sources,
        )
        self.class_map: ClassMap | None = None
        if class_map is not None:
            ours = num_foreground_classes(student), student_classes
            theirs = num_foreground_classes(teacher_detector), self._teacher.classes
            self.class_map = ClassMap.resolve(class_map, unmapped_classes, *ours, *theirs)
        self._teacher.answer_as(box_head(student, student_stage), self.class_map)
        self.distiller.prepare_from_student(student)
        self.distiller.prepare_from_teacher(teacher_detector)
        if not (module_inplace if module_inplace is not None else not self.distiller.records_modules):
            _forbid_inplace(student)
            _forbid_inplace(teacher_detector)
        self.distillation_stopped = False
        student_state.install(self)

    @property
    def student(self) -> BaseDetector:
        """The detector that is trained; another name for MMRazor's ``architecture``."""
        return self.architecture

    @property
    def teacher(self) -> BaseDetector:
        """The frozen detector. It is no submodule of the algorithm."""
        return self._teacher.detector

    @property
    def teacher_classes(self) -> tuple[str, ...] | None:
        """Class names of the teacher's training data, if its checkpoint tells them."""
        return self._teacher.classes

    def loss(self, batch_inputs: Tensor, data_samples: Sequence[DetDataSample] | None = None) -> dict[str, Tensor]:
        """Losses of one step: the student's under ``student.``, the distiller's under ``distill.``, and statistics."""
        samples = list(data_samples or [])
        if self.distillation_stopped:
            losses = add_prefix(self.student(batch_inputs, samples, mode='loss'), 'student')
            return {**losses, **add_prefix(_zero_of(self.distiller), 'distill')}
        student_losses, proposals = self._student_step(batch_inputs, samples)
        if not len(proposals.rois):  # MMDetection then leaves out losses of the box head
            student_losses = {**student_losses, **_zero_of(self.student)}
        self._teacher_step(batch_inputs, samples, proposals)
        distill_losses = self.distiller.compute_distill_losses()
        statistics = self.distiller.end_step(_total(distill_losses), _total(student_losses))
        return {**add_prefix(student_losses, 'student'), **add_prefix({**distill_losses, **statistics}, 'distill')}

    def _student_step(
        self, batch_inputs: Tensor, samples: list[DetDataSample]
    ) -> tuple[dict[str, Any], SampledProposals]:
        head = box_head(self.student, self._student_stage)
        with self.distiller.student_recorders, ProposalTap(head, self.distiller.needs_embeddings) as tap:
            losses = self.student(batch_inputs, samples, mode='loss')
        if tap.proposals is None:
            raise ConfigError(
                f'model.architecture.roi_head.type: {type(self.student.roi_head).__name__} computes its loss without '
                'BBoxHead.loss_and_target, so its proposals cannot be read; use StandardRoIHead or CascadeRoIHead'
            )
        outputs = tap.proposals.outputs
        if self.distiller.needs_boxes:
            outputs = replace(outputs, predict=functools.partial(self._ask_student, tap.proposals.rois))
        return losses, replace(tap.proposals, outputs=outputs)

    def _ask_student(self, rois: Tensor, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        results = box_forward(self.student, self._student_stage, features, rois)
        return results['cls_score'], results['bbox_pred']

    def _teacher_step(self, batch_inputs: Tensor, samples: list[DetDataSample], proposals: SampledProposals) -> None:
        with self.distiller.teacher_recorders:
            answer = self._teacher.answer(
                batch_inputs, samples, proposals.rois, self.distiller.needs_embeddings, self.distiller.needs_boxes
            )
        self.distiller.share(proposals, answer)

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **kwargs: Any) -> ProposalDistill:
        super()._apply(fn, *args, **kwargs)
        self._teacher.apply(fn)
        return self


def _random_state_kept() -> contextlib.AbstractContextManager[None]:
    """Draw nothing from the student's random numbers: with one seed, it starts as the plain student does."""
    return torch.random.fork_rng(devices=[])


def _total(losses: dict[str, Any]) -> Tensor:
    """Sum of what MMEngine would sum, without gradient."""
    values = [value for name, value in losses.items() if 'loss' in name]
    flat = [item.detach().mean() for value in values for item in (value if isinstance(value, list) else [value])]
    return torch.stack(flat).sum() if flat else torch.zeros(())


def _zero_of(module: nn.Module) -> dict[str, Tensor]:
    """A loss of zero that reaches all that learns in ``module``: DDP waits for a gradient of each parameter."""
    learning = [parameter.flatten()[:0].sum().float() for parameter in module.parameters() if parameter.requires_grad]
    return {'loss_zero': torch.stack(learning).sum()} if learning else {}


def _forbid_inplace(model: nn.Module) -> None:
    for module in model.modules():
        if hasattr(module, 'inplace'):
            module.inplace = False  # type: ignore[assignment]

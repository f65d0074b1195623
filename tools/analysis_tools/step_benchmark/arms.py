"""The arms of the benchmark: each turns the shared batch into a loss dict, with shared weights."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.registry import MODELS as MMDET
from mmdet.structures.bbox import bbox2roi
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as RAZOR
from torch import Tensor, nn
from torch.nn.functional import kl_div

from eakd_det.building import build_model
from eakd_det.models import train_channels_last
from step_benchmark.losses import LOSSES
from step_benchmark.scene import Scene

Losses = dict[str, Any]
Step = Callable[[Tensor, list[Any]], Losses]

PACKAGE_ARMS = {f'ours {name}': loss for name, loss in LOSSES.items()}
EA_KD = 'ours EA-KD'
FAST = 'ours EA-KD, fast'
PLAIN = 'stock student'
OUR_STUDENT = 'our student'
RAZOR_SHIPPED = 'MMRazor, as shipped'
RAZOR_SHARED = 'MMRazor, shared samples'
RAZOR_PKD = 'MMRazor FPN + PKD'
MD_SCHEDULE = "mdistiller's schedule"
CROSSKD = 'CrossKD, two-stage'
CROSSKD_FILE = 'crosskd_two_stage.py'
ARMS = (PLAIN, OUR_STUDENT, *PACKAGE_ARMS, FAST, RAZOR_SHIPPED, RAZOR_SHARED, RAZOR_PKD, MD_SCHEDULE, CROSSKD)
FAST_OPTIONS: dict[str, Any] = dict(channels_last=True, dtype='auto', free_unused=True, winograd=True)
FAST_STUDENT_OPTIONS: dict[str, Any] = dict(channels_last=True, winograd=True)

_FC_CLS = dict(logits=dict(type='ModuleOutputs', source='roi_head.bbox_head.fc_cls'))
_NECK = dict(neck=dict(type='ModuleOutputs', source='neck'))


def build_arm(name: str, scene: Scene, fast: dict[str, Any] | None = None, crosskd: Path | None = None) -> nn.Module:
    """Build the arm called ``name`` around the detectors of ``scene``.

    All but the stock student get copies of the detectors, because most arms modify them: MMRazor turns in-place
    activations off, this package folds the teacher's BatchNorm. The weights are equal.

    Args:
        name: One of :data:`ARMS`.
        scene: Detectors and batch.
        fast: ``teacher_options`` of the fast arm. Defaults to :data:`FAST_OPTIONS`.
        crosskd: Path of CrossKD's ``crosskd_two_stage.py``, required for its arm.
    """
    if name == PLAIN:
        return scene.student
    student, teacher = copy.deepcopy(scene.student), copy.deepcopy(scene.teacher)
    if name in (OUR_STUDENT, FAST, *PACKAGE_ARMS):
        return package_arm(name, student, teacher, PACKAGE_ARMS, fast)
    if name == CROSSKD:
        if crosskd is None:
            raise ValueError('--crosskd: expected the path of crosskd_two_stage.py, but got none')
        return CrossKD(crosskd, scene)
    if name == MD_SCHEDULE:
        return MDistillerSchedule(student, teacher)
    algorithm = _razor(name, student, teacher, len(scene.data['inputs']))
    algorithm.train()  # MMRazor's returns None
    return algorithm


def package_arm(
    name: str, student: BaseDetector, teacher: BaseDetector, losses: dict[str, Any], fast: dict[str, Any] | None
) -> nn.Module:
    """Build an arm of this package: the student alone, or with one of ``losses``; the fast one has EA-KD's."""
    if name == OUR_STUDENT:
        train_channels_last(student)
        return student
    if name == FAST:
        options = dict(teacher_options=fast or FAST_OPTIONS, student_options=FAST_STUDENT_OPTIONS)
        return _distill(student, teacher, losses[EA_KD], **options)
    return _distill(student, teacher, losses[name])


def _distill(student: BaseDetector, teacher: BaseDetector, loss: dict[str, Any], **kwargs: Any) -> nn.Module:
    return build_model(
        dict(
            type='eakd_det.ProposalDistill',
            architecture=student,
            teacher=teacher,
            distiller=dict(type='eakd_det.ProposalDistiller', distill_losses=dict(loss_kd=loss)),
            **kwargs,
        )
    ).train()


def _razor(name: str, student: BaseDetector, teacher: BaseDetector, images: int) -> nn.Module:
    records, loss = (_NECK, 'PKDLoss') if name == RAZOR_PKD else (_FC_CLS, 'KLDivergence')
    recorder = next(iter(records))
    distiller = dict(
        type='ConfigurableDistiller',
        student_recorders=records,
        teacher_recorders=records,
        distill_losses=dict(loss_kd=dict(type=loss)),
        loss_forward_mappings=dict(
            loss_kd=dict(
                preds_S=dict(from_student=True, recorder=recorder), preds_T=dict(from_student=False, recorder=recorder)
            )
        ),
    )
    if name == RAZOR_SHARED:  # the RPN and the RoI head each sample once per image
        distiller['distill_deliveries'] = dict(
            samples=dict(
                type='MethodOutputs',
                max_keep_data=2 * images,
                method_path='mmdet.models.task_modules.samplers.RandomSampler.sample',
            )
        )
    algorithm = 'FpnTeacherDistill' if name == RAZOR_PKD else 'SingleTeacherDistill'
    return RAZOR.build(
        dict(_scope_='mmrazor', type=algorithm, architecture=student, teacher=teacher, distiller=distiller)
    )


class CrossKD(nn.Module):
    """Wrap CrossKD's two-stage detector, with the shared weights and MMDetection's losses.

    The method runs the teacher's box head twice, on the teacher's features and on the student's.
    """

    def __init__(self, file: Path, scene: Scene) -> None:
        super().__init__()
        spec = importlib.util.spec_from_file_location('mmdet.models.detectors.crosskd_two_stage', file)
        if spec is None or spec.loader is None or not file.is_file():
            raise ValueError(f'--crosskd: expected the file crosskd_two_stage.py, but got {file}')
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        losses = dict(
            loss_cls_kd=dict(type='KnowledgeDistillationKLDivLoss', T=1, loss_weight=1.0),
            loss_reg_kd=dict(type='L1Loss', loss_weight=1.0),
        )
        student = {**copy.deepcopy(scene.student_cfg), 'type': 'CrossKDTwoStageDetector'}
        with DefaultScope.overwrite_default_scope('mmdet'):
            self.detector = MMDET.build(
                dict(student, teacher_config=dict(model=copy.deepcopy(scene.teacher_cfg)), kd_cfg=losses)
            )
        self.detector.load_state_dict(scene.student.state_dict())
        self.detector.teacher.load_state_dict(scene.teacher.state_dict())
        self.data_preprocessor = self.detector.data_preprocessor
        self._seen: list[Tensor] = []
        for detector in (self.detector, self.detector.teacher):
            detector.roi_head.bbox_head.fc_cls.register_forward_hook(self._keep)
        self.detector.train()  # returns None

    def _keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self._seen.append(output.detach())

    def forward(self, inputs: Tensor, data_samples: list[Any], mode: str = 'loss') -> Losses:
        """Return the losses; the first two classifier outputs are the student's and the teacher's."""
        self._seen.clear()
        losses = self.detector(inputs, data_samples, mode=mode)
        self.logits = (self._seen[0], self._seen[1])
        return losses


class MDistillerSchedule(nn.Module):
    """Reproduce the schedule of mdistiller's detection code on MMDetection's detectors.

    The student's box branch runs twice, for its own loss and for its logits. The teacher runs without ``no_grad``, but
    its parameters are frozen, so no graph is built.
    """

    def __init__(self, student: BaseDetector, teacher: BaseDetector) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher.eval().requires_grad_(False)
        self.data_preprocessor = student.data_preprocessor

    def forward(self, inputs: Tensor, data_samples: list[Any], mode: str = 'loss') -> Losses:
        """Return the losses of one step."""
        kept: dict[str, Any] = {}
        roi_head = self.student.roi_head
        original = roi_head.bbox_loss

        def keep(features: tuple[Tensor, ...], sampling_results: list[Any]) -> dict[str, Any]:
            kept.update(features=features, rois=bbox2roi([result.priors for result in sampling_results]))
            return original(features, sampling_results)

        roi_head.bbox_loss = keep
        try:
            losses = self.student(inputs, data_samples, mode=mode)
        finally:
            del roi_head.bbox_loss
        student = roi_head._bbox_forward(kept['features'], kept['rois'])['cls_score']
        teacher = self.teacher.roi_head._bbox_forward(self.teacher.extract_feat(inputs), kept['rois'])['cls_score']
        self.logits = (student.detach(), teacher.detach())
        losses['loss_kd'] = kl_div(student.log_softmax(1), teacher.softmax(1), reduction='batchmean')
        return losses


def run_teacher(teacher: BaseDetector, images: Tensor, rois: Any) -> None:
    """Run MMDetection's backbone, FPN and box head in float32: the part of the teacher that every method needs."""
    with torch.no_grad():
        teacher.roi_head._bbox_forward(teacher.extract_feat(images), rois)

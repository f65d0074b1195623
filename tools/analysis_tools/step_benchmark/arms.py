"""What is timed: each arm turns the shared batch into a loss dict, with the same weights as all the others."""

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
from step_benchmark.scene import Scene

Losses = dict[str, Any]
Step = Callable[[Tensor, list[Any]], Losses]

EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
OURS: dict[str, dict[str, Any]] = {
    'ours KD': dict(type='eakd_det.KDLoss'),
    'ours EA-KD': dict(type='eakd_det.KDLoss', weighting=EA),
    'ours DKD': dict(type='eakd_det.DKDLoss'),
    'ours EA-DKD': dict(type='eakd_det.DKDLoss', weighting=EA),
}
FAST = 'ours EA-KD, fast'
PLAIN = 'stock student'
OUR_STUDENT = 'our student'
RAZOR_SHIPPED = 'MMRazor, as shipped'
RAZOR_SHARED = 'MMRazor, shared samples'
RAZOR_PKD = 'MMRazor FPN + PKD'
MD_SCHEDULE = "mdistiller's schedule"
CROSSKD = 'CrossKD, two-stage'
ARMS = (PLAIN, OUR_STUDENT, *OURS, FAST, RAZOR_SHIPPED, RAZOR_SHARED, RAZOR_PKD, MD_SCHEDULE, CROSSKD)
FAST_OPTIONS: dict[str, Any] = dict(channels_last=True, dtype='auto', free_unused=True, winograd=True)
FAST_STUDENT_OPTIONS: dict[str, Any] = dict(channels_last=True, winograd=True)

_FC_CLS = dict(logits=dict(type='ModuleOutputs', source='roi_head.bbox_head.fc_cls'))
_NECK = dict(neck=dict(type='ModuleOutputs', source='neck'))


def build_arm(name: str, scene: Scene, fast: dict[str, Any] | None = None, crosskd: Path | None = None) -> nn.Module:
    """Build the arm called ``name`` around the detectors of ``scene``.

    All but the stock student get copies of the detectors, since most change what they are given (MMRazor turns
    in-place activations off, ours folds the teacher's BatchNorm); the weights are equal.

    Args:
        name: One of :data:`ARMS`.
        scene: Detectors and batch.
        fast: ``teacher_options`` of the fast arm. Defaults to :data:`FAST_OPTIONS`.
        crosskd: CrossKD's ``crosskd_two_stage.py``, which its arm needs.
    """
    if name == PLAIN:
        return scene.student
    student, teacher = copy.deepcopy(scene.student), copy.deepcopy(scene.teacher)
    if name == OUR_STUDENT:
        train_channels_last(student)
        return student
    if name in OURS:
        return _ours(student, teacher, OURS[name])
    if name == FAST:
        options = dict(teacher_options=fast or FAST_OPTIONS, student_options=FAST_STUDENT_OPTIONS)
        return _ours(student, teacher, OURS['ours EA-KD'], **options)
    if name == CROSSKD:
        if crosskd is None:
            raise ValueError('the CrossKD arm needs its file: --crosskd path/to/crosskd_two_stage.py')
        return CrossKD(crosskd, scene)
    if name == MD_SCHEDULE:
        return MDistillerSchedule(student, teacher)
    algorithm = _razor(name, student, teacher, len(scene.data['inputs']))
    algorithm.train()  # returns nothing in MMRazor
    return algorithm


def _ours(student: BaseDetector, teacher: BaseDetector, loss: dict[str, Any], **kwargs: Any) -> nn.Module:
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
    if name == RAZOR_SHARED:  # the RPN samples once an image and the RoI head once more
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
    """CrossKD's two-stage detector from its own file, on the same weights and with MMDetection's losses.

    Its teacher's box head runs twice, on the teacher's features and on the student's; that is the method.
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
        self.detector.train()  # returns nothing there

    def _keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self._seen.append(output.detach())

    def forward(self, inputs: Tensor, data_samples: list[Any], mode: str = 'loss') -> Losses:
        """Losses of one step; the first two classifier outputs are the student's and the teacher's."""
        self._seen.clear()
        losses = self.detector(inputs, data_samples, mode=mode)
        self.logits = (self._seen[0], self._seen[1])
        return losses


class MDistillerSchedule(nn.Module):
    """The order of work of mdistiller's detection code, on MMDetection's detectors; not mdistiller itself.

    The student's box branch runs twice (once for its own loss, once for its logits), the teacher without ``no_grad``
    (its parameters are frozen, so no graph arises).
    """

    def __init__(self, student: BaseDetector, teacher: BaseDetector) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher.eval().requires_grad_(False)
        self.data_preprocessor = student.data_preprocessor

    def forward(self, inputs: Tensor, data_samples: list[Any], mode: str = 'loss') -> Losses:
        """Losses of one step."""
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
        ours = roi_head._bbox_forward(kept['features'], kept['rois'])['cls_score']
        theirs = self.teacher.roi_head._bbox_forward(self.teacher.extract_feat(inputs), kept['rois'])['cls_score']
        self.logits = (ours.detach(), theirs.detach())
        losses['loss_kd'] = kl_div(ours.log_softmax(1), theirs.softmax(1), reduction='batchmean')
        return losses


def teacher_alone(teacher: BaseDetector, images: Tensor, rois: Tensor) -> None:
    """What any method must run of the teacher: backbone, FPN and box head, in float32, as MMDetection ships them."""
    with torch.no_grad():
        teacher.roi_head._bbox_forward(teacher.extract_feat(images), rois)

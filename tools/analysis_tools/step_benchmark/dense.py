"""The arms of a dense pair, as in :mod:`step_benchmark.arms`."""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.registry import MODELS as MMDET
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as RAZOR
from torch import Tensor, nn

from eakd_det.functional import binary_focal_divergence
from eakd_det.sites.dense_grid import Grid, rows
from step_benchmark.arms import FAST, OUR_STUDENT, PLAIN, RAZOR_PKD, RAZOR_SHIPPED, Losses, package_arm
from step_benchmark.scene import Scene

EA = dict(type='eakd_det.EntropyWeighting', tau=1.0)
OUR_CROSSKD = 'ours CrossKD'
PACKAGE_ARMS: dict[str, dict[str, Any]] = {
    'ours KD': dict(type='eakd_det.KDLoss', reduction='objects'),
    'ours EA-KD': dict(type='eakd_det.KDLoss', reduction='objects', weighting=EA),
    OUR_CROSSKD: dict(type='eakd_det.CrossHeadLoss', focal_beta=1.0, reduction='objects'),
}
CROSSKD = 'CrossKD, GFL'
CROSSKD_FILE = 'crosskd_gfl.py'
ARMS = (PLAIN, OUR_STUDENT, *PACKAGE_ARMS, FAST, RAZOR_SHIPPED, RAZOR_PKD, CROSSKD)


def build_arm(name: str, scene: Scene, fast: dict[str, Any] | None = None, crosskd: Path | None = None) -> nn.Module:
    """Build the arm called ``name``; arguments as in :func:`step_benchmark.arms.build_arm`.

    ``crosskd`` is the path of CrossKD's ``crosskd_gfl.py``, beside its ``crosskd_single_stage.py``.
    """
    if name == PLAIN:
        return scene.student
    if name == CROSSKD:
        return CrossKD(crosskd, scene)
    student, teacher = copy.deepcopy(scene.student), copy.deepcopy(scene.teacher)
    if name in (OUR_STUDENT, FAST, *PACKAGE_ARMS):
        return package_arm(name, student, teacher, _crossed_in(student), fast)
    algorithm = _razor(name, student, teacher)
    algorithm.train()  # returns None
    return algorithm


def _crossed_in(student: BaseDetector) -> dict[str, dict[str, Any]]:
    """Return the losses of the arms; CrossKD's crosses where CrossKD does, if the head of ``student`` is as deep."""
    after = 3 if student.bbox_head.stacked_convs > 3 else 0
    return {**PACKAGE_ARMS, OUR_CROSSKD: dict(PACKAGE_ARMS[OUR_CROSSKD], after=after)}


def run_teacher(teacher: BaseDetector, images: Tensor, where: Any) -> None:
    """Run MMDetection's backbone, pyramid and head in float32: the part of the teacher that every method needs."""
    with torch.no_grad():
        teacher.bbox_head(teacher.extract_feat(images))


def as_rows(levels: list[Tensor]) -> Tensor:
    """Return logits of the levels as a package arm has them, ``(N, C)``."""
    shapes = tuple((level.shape[2], level.shape[3]) for level in levels)
    return rows(levels, Grid(len(levels[0]), shapes, (1,) * len(levels))).detach()


def _razor(name: str, student: BaseDetector, teacher: BaseDetector) -> nn.Module:
    """MMRazor records the class scores of each level, or compares the pyramids; its teacher assigns and has a loss."""
    records = dict(scores=dict(type='ModuleOutputs', source='bbox_head.gfl_cls'))
    names = [f'loss_kd_{level}' for level in range(len(student.bbox_head.prior_generator.strides))]
    losses: dict[str, Any] = {key: dict(type='KLDivergence') for key in names}
    mappings = {key: _both(recorder='scores', record_idx=level) for level, key in enumerate(names)}
    if name == RAZOR_PKD:
        records = dict(neck=dict(type='ModuleOutputs', source='neck'))
        losses, mappings = dict(loss_kd=dict(type='PKDLoss')), dict(loss_kd=_both(recorder='neck'))
    distiller = dict(
        type='ConfigurableDistiller',
        student_recorders=records,
        teacher_recorders=records,
        distill_losses=losses,
        loss_forward_mappings=mappings,
    )
    algorithm = 'FpnTeacherDistill' if name == RAZOR_PKD else 'SingleTeacherDistill'
    return RAZOR.build(
        dict(_scope_='mmrazor', type=algorithm, architecture=student, teacher=teacher, distiller=distiller)
    )


def _both(**record: Any) -> dict[str, Any]:
    return dict(preds_S=dict(record, from_student=True), preds_T=dict(record, from_student=False))


class QualityFocal(nn.Module):
    """The loss of CrossKD's scores, by this package's formula."""

    def forward(self, student: Tensor, teacher: Tensor, weight: Tensor, avg_factor: float) -> Tensor:
        """Return the loss, divided by ``avg_factor``."""
        return (binary_focal_divergence(student, teacher).sum(dim=1) * weight).sum() / avg_factor


class CrossKD(nn.Module):
    """Wrap CrossKD's own GFL detector, with the shared weights and the losses of its config.

    The teacher runs on the images first, then the student, then the rest of the teacher's head on the student's maps.
    """

    def __init__(self, file: Path | None, scene: Scene) -> None:
        super().__init__()
        if file is None or not file.is_file():
            raise ValueError(f'--crosskd: expected the file {CROSSKD_FILE}, but got {file}')
        for path in (file.with_name('crosskd_single_stage.py'), file):
            _load(path)
        ld = dict(type='KnowledgeDistillationKLDivLoss', T=1, loss_weight=4.0)
        losses = dict(loss_cls_kd=dict(type=QualityFocal), loss_reg_kd=ld, reused_teacher_head_idx=3)
        teacher = dict(model=copy.deepcopy(scene.teacher_cfg))
        with DefaultScope.overwrite_default_scope('mmdet'):
            self.detector = MMDET.build(
                {**copy.deepcopy(scene.student_cfg), 'type': 'CrossKDGFL', 'teacher_config': teacher, 'kd_cfg': losses}
            )
        self.detector.load_state_dict(scene.student.state_dict())
        self.detector.teacher.load_state_dict(scene.teacher.state_dict())
        self.data_preprocessor = self.detector.data_preprocessor
        self._seen: dict[str, list[Tensor]] = {}
        for side, detector in (('student', self.detector), ('teacher', self.detector.teacher)):
            kept = self._seen.setdefault(side, [])
            detector.bbox_head.gfl_cls.register_forward_hook(lambda _, inputs, output, kept=kept: kept.append(output))
        self.detector.train()  # returns None

    def forward(self, inputs: Tensor, data_samples: list[Any], mode: str = 'loss') -> Losses:
        """Return the losses; the teacher's classifier first sees its own maps."""
        for kept in self._seen.values():
            kept.clear()
        losses = self.detector(inputs, data_samples, mode=mode)
        count = len(self._seen['student'])
        self.logits = tuple(as_rows(self._seen[side][:count]) for side in ('student', 'teacher'))
        return losses


def _load(file: Path) -> None:
    """Import a file of CrossKD as a module of MMDetection, whose other modules it imports."""
    name = f'mmdet.models.detectors.{file.stem}'
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f'--crosskd: expected a Python file, but got {file}')
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

"""FGD on the levels of a feature pyramid, with the annotated boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from eakd_det.arguments import Count, NotNegative, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import fgd_terms, foreground_scale
from eakd_det.losses import records
from eakd_det.losses.context_block import ContextBlock
from eakd_det.losses.pyramid import PyramidLoss


class FGDLoss(PyramidLoss):
    r"""Focal and global distillation of pyramid levels (FGD; Yang et al., CVPR 2022).

    .. math:: L = \lambda_0 \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} \bigl( \alpha D^{\mathrm{fg}}
        + \beta D^{\mathrm{bg}} + \gamma D^{\mathrm{at}} + \lambda \lVert R^S_l(f) - R^T_l(t) \rVert^2 \bigr)

    with the focal terms of :func:`eakd_det.functional.fgd_terms` of image :math:`i` and level :math:`l`, the teacher's
    features :math:`t`, the student's :math:`f`, through a 1 x 1 convolution where the widths differ, and a
    :class:`eakd_det.losses.context_block.ContextBlock` for each side and level. These modules are trained with the
    student and discarded with the loss. With equal weights and images of one size this is the published code's loss; it
    stretches the boxes of an image that is padded over the padding, and here they stay where their pixels are.

    Weights in the configs of the published code:

    ===========================================  ======  ======  ======  ======
    detector                                     α       β       γ       λ
    ===========================================  ======  ======  ======  ======
    two-stage, four levels: the defaults         5e-5    2.5e-5  5e-5    5e-7
    RetinaNet, GFL, five levels                  1e-3    5e-4    5e-4    5e-6
    FCOS (with T = 0.8), RepPoints, five levels  1.6e-3  8e-4    8e-4    8e-6
    YOLOX, three levels                          2e-3    1e-3    1e-3    1e-5
    ===========================================  ======  ======  ======  ======

    Args:
        student_channels: Width of the student's levels. Defaults to 256.
        teacher_channels: Width of the teacher's, at least 2. Defaults to 256.
        foreground_weight: :math:`\alpha`, of the cells of objects.
        background_weight: :math:`\beta`, of the other cells.
        attention_weight: :math:`\gamma`, of the attention maps.
        relation_weight: :math:`\lambda`, of the relations between cells.
        tau: Temperature of the attention. Defaults to 0.5.
        num_levels: Number of levels, from the finest. Defaults to 4: P2 to P5.
        **kwargs: ``weighting`` (the weight of an image is the mean over its sites), ``reduction`` (over images),
            ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if levels or boxes are missing or do not fit.

    Example:
        >>> import torch
        >>> loss = FGDLoss(8, 16, num_levels=1)
        >>> levels = dict(features_S=[torch.randn(1, 8, 6, 9)], features_T=[torch.randn(1, 16, 6, 9)])
        >>> loss(**levels, gt_boxes=[torch.tensor([[8.0, 8.0, 32.0, 40.0]])], input_size=(48, 72)).shape
        torch.Size([])
    """

    reads: ClassVar[dict[str, str]] = PyramidLoss.reads | {
        'gt_boxes': records.GT_BOXES,
        'input_size': records.INPUT_SIZE,
    }

    @checked
    def __init__(
        self,
        student_channels: Count = 256,
        teacher_channels: Count = 256,
        foreground_weight: NotNegative = 5e-5,
        background_weight: NotNegative = 2.5e-5,
        attention_weight: NotNegative = 5e-5,
        relation_weight: NotNegative = 5e-7,
        tau: Positive = 0.5,
        num_levels: Count = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_levels, **kwargs)
        if teacher_channels < 2:
            raise ConfigError(f'FGDLoss.teacher_channels: expected at least 2, but got {teacher_channels}')
        self.student_channels = student_channels
        self.teacher_channels = teacher_channels
        self.foreground_weight = foreground_weight
        self.background_weight = background_weight
        self.attention_weight = attention_weight
        self.relation_weight = relation_weight
        self.tau = tau
        is_wider = student_channels != teacher_channels
        self.connectors = nn.ModuleList(
            nn.Conv2d(student_channels, teacher_channels, 1) if is_wider else nn.Identity() for _ in range(num_levels)
        )
        self.student_contexts, self.teacher_contexts = (
            nn.ModuleList(ContextBlock(teacher_channels) for _ in range(num_levels)) for _ in range(2)
        )

    def divergence(  # type: ignore[override]  # it reads more
        self,
        features_S: Sequence[Tensor],
        features_T: Sequence[Tensor],
        gt_boxes: Sequence[Tensor],
        input_size: tuple[int, int],
    ) -> Tensor:
        """Compute FGD of each image, ``(N,)``.

        Args:
            features_S: The student's levels, fine to coarse, each ``(N, D_S, H, W)``.
            features_T: The teacher's, each ``(N, D_T, H, W)``.
            gt_boxes: The boxes of each image, ``(G, 4)`` each, in pixels of the batch.
            input_size: Height and width of the batch, in pixels.
        """
        student, teacher = self.compared(features_S, features_T)
        self.check_width(teacher, 'teacher', self.teacher_channels)
        if len(gt_boxes) != len(student[0]):
            raise ConfigError(
                f'FGDLoss: expected gt_boxes of each of {len(student[0])} images, but got {len(gt_boxes)}'
            )
        scales = [
            torch.stack([foreground_scale(boxes, input_size, (level.shape[2], level.shape[3])) for boxes in gt_boxes])
            for level in teacher
        ]
        levels = zip(student, teacher, scales, self.student_contexts, self.teacher_contexts, strict=True)
        return torch.stack([self._of_level(*parts) for parts in levels]).sum(dim=0)

    def converted(self, levels: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the levels in the teacher's width."""
        self.check_width(levels, 'student', self.student_channels)
        dtype = self._dtype
        return [connect(level.to(dtype)) for connect, level in zip(self.connectors, levels, strict=True)]

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype  # networks may run in half precision outside autocast

    def _of_level(
        self, student: Tensor, teacher: Tensor, scale: Tensor, context_S: nn.Module, context_T: nn.Module
    ) -> Tensor:
        focal = fgd_terms(student, teacher, scale, self.tau)
        relations = context_S(student) - context_T(teacher.detach().to(self._dtype))
        return (
            self.foreground_weight * focal.foreground
            + self.background_weight * focal.background
            + self.attention_weight * focal.attention
            + self.relation_weight * relations.square().sum(dim=(1, 2, 3))
        )

"""Translation of a teacher's class logits and box deltas to the student's classes and box units."""

from __future__ import annotations

from dataclasses import replace

import torch
from mmdet.models import BBoxHead
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.sites.base import Prediction, Translation
from eakd_det.sites.scores import ClassGroups, ClassTranslation, SoftmaxScores


class RoITranslation(Translation):
    r"""Translates a teacher's class logits and box deltas, differentiably.

    With the teacher's classes :math:`M_c` that stand for the student's class c, and those that are background to the
    student, :math:`U`,

    .. math:: z_c = \log \sum_{k \in M_c} e^{z^T_k}, \qquad
        z_{bg} = \log \Bigl( e^{z^T_{bg}} + \sum_{k \in U} e^{z^T_k} \Bigr)

    so that a softmax gives each class of the student exactly the probability that the teacher gives its members. A
    class of the teacher in no group is dropped, and the others are renormalised.

    Box deltas are trained in units of the box coder's ``target_stds``, which differ between the stages of a cascade:

    .. math:: d = \frac{\sigma_T d^T + \mu_T - \mu_S}{\sigma_S}

    Deltas of merged classes are averaged with the probabilities of these classes as weights.

    Args:
        student: The student's box head.
        teacher: The teacher's.
        groups: Correspondence of the classes; None if both have the same.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, student: BBoxHead, teacher: BBoxHead, groups: ClassGroups | None = None) -> None:
        super().__init__()
        self._coders = type(student.bbox_coder).__name__, type(teacher.bbox_coder).__name__
        mean_s, std_s = _box_units(student)
        mean_t, std_t = _box_units(teacher)
        self.register_buffer('scale', std_t / std_s, persistent=False)
        self.register_buffer('shift', (mean_t - mean_s) / std_s, persistent=False)
        self.classes = None if groups is None else ClassTranslation(SoftmaxScores(teacher.num_classes), groups)

    def forward(self, prediction: Prediction) -> Prediction:
        """Translate logits, and boxes if there are any."""
        logits, boxes = prediction.logits, prediction.boxes
        translated = None if boxes is None else self.boxes(boxes, logits)
        return replace(prediction, logits=self.logits(logits), boxes=translated)

    def logits(self, logits: Tensor) -> Tensor:
        """Translate class logits ``(R, C_T)`` to ``(R, C_S)``, background last in both."""
        return logits if self.classes is None else self.classes(logits)

    def boxes(self, deltas: Tensor, logits: Tensor) -> Tensor:
        """Translate box deltas ``(R, 4)`` or ``(R, 4 K_T)`` to ``(R, 4)`` or ``(R, 4 K_S)``.

        Args:
            deltas: The teacher's deltas.
            logits: The teacher's own class logits, ``(R, C_T)``, which weight merged classes.

        Raises:
            ConfigError: If the box coders have different types.
        """
        if self._coders[0] != self._coders[1]:
            raise ConfigError(
                'model.teacher.roi_head.bbox_head.bbox_coder: expected the same type as the student, '
                f'{self._coders[0]}, but got {self._coders[1]}; box deltas cannot be compared'
            )
        boxes = deltas.unflatten(1, (-1, 4)) * self.scale + self.shift
        if self.classes is not None and boxes.shape[1] > 1:
            probabilities = self.classes.member_logits(logits).softmax(dim=2)
            padded = torch.cat([boxes, boxes.new_zeros(len(boxes), 2, 4)], dim=1)  # background and padding
            boxes = (probabilities.unsqueeze(3) * padded[:, self.classes.members]).sum(dim=2)
        return boxes.flatten(1)


def _box_units(head: BBoxHead) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the box coder, ``(4,)`` each; 0 and 1 if it has none."""
    mean = torch.tensor(getattr(head.bbox_coder, 'means', (0.0,) * 4))
    std = torch.tensor(getattr(head.bbox_coder, 'stds', (1.0,) * 4))
    return mean, std

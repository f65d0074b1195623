"""What the teacher says of a proposal, in the student's words: its classes, and the units of its boxes."""

from __future__ import annotations

import torch
from mmdet.models import BBoxHead
from torch import Tensor, nn

from eakd_det.distillation.class_map import ClassMap
from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import to_float


class AnswerTranslation(nn.Module):
    r"""Translates a teacher's class logits and box deltas, differentiably.

    With the teacher's classes :math:`M_c` that stand for the student's class c, and its unmapped classes :math:`U`,

    .. math:: z_c = \log \sum_{k \in M_c} e^{z^T_k}, \qquad
        z_{bg} = \log \Bigl( e^{z^T_{bg}} + \sum_{k \in U} e^{z^T_k} \Bigr)

    so that a softmax gives the student's classes exactly the probability that the teacher gives their members. With
    ``unmapped_classes='drop'`` the sum over U is left out, which renormalises over the classes both know.

    Box deltas are divided by the box coder's ``target_stds`` in training, and the stages of a cascade have their own:

    .. math:: d = \frac{\sigma_T d^T + \mu_T - \mu_S}{\sigma_S}

    Deltas of merged classes are averaged by the probabilities of these classes.

    Args:
        student: The student's box head.
        teacher: The teacher's.
        class_map: Which classes stand for which; None if both have the same.
    """

    scale: Tensor
    shift: Tensor
    members: Tensor
    rest: Tensor

    def __init__(self, student: BBoxHead, teacher: BBoxHead, class_map: ClassMap | None = None) -> None:
        super().__init__()
        self._coders = type(student.bbox_coder).__name__, type(teacher.bbox_coder).__name__
        mean_s, std_s = _box_units(student)
        mean_t, std_t = _box_units(teacher)
        self.register_buffer('scale', std_t / std_s, persistent=False)
        self.register_buffer('shift', (mean_t - mean_s) / std_s, persistent=False)
        self.maps_classes = class_map is not None
        if class_map is None:
            return
        count = teacher.num_classes
        width = max(len(group) for group in class_map.members)
        # Short groups are filled up with the index of a column that holds -inf.
        filled = [[*group, *[count + 1] * (width - len(group))] for group in class_map.members]
        self.register_buffer('members', torch.tensor(filled), persistent=False)
        rest = [*(class_map.unmapped if class_map.merges_unmapped else ()), count]
        self.register_buffer('rest', torch.tensor(rest), persistent=False)

    def logits(self, logits: Tensor) -> Tensor:
        """Class logits ``(R, C_T)`` of the teacher as ``(R, C_S)``, background last on both sides."""
        if not self.maps_classes:
            return logits
        foreground = self._members_of(logits)
        background = logits[:, self.rest]
        return torch.cat([_logsumexp(foreground), _logsumexp(background.unsqueeze(1))], dim=1)

    def deltas(self, deltas: Tensor, logits: Tensor) -> Tensor:
        """Box deltas of the teacher, ``(R, 4)`` or ``(R, 4 K_T)`` for K foreground classes, as the student's.

        Args:
            deltas: The teacher's deltas.
            logits: The teacher's own class logits, ``(R, C_T)``, which weigh merged classes.

        Raises:
            ConfigError: If the box coders are of different kinds.
        """
        if self._coders[0] != self._coders[1]:
            raise ConfigError(
                'teacher.roi_head.bbox_head.bbox_coder: expected the same type as the student, '
                f'{self._coders[0]}, but got {self._coders[1]}; box deltas cannot be compared'
            )
        boxes = deltas.unflatten(1, (-1, 4)) * self.scale + self.shift
        if self.maps_classes and boxes.shape[1] > 1:
            share = self._members_of(logits).softmax(dim=2)
            padded = torch.cat([boxes, boxes.new_zeros(len(boxes), 2, 4)], dim=1)  # background, and the filling
            boxes = (share.unsqueeze(3) * padded[:, self.members]).sum(dim=2)
        return boxes.flatten(1)

    def _members_of(self, logits: Tensor) -> Tensor:
        """The members of each class of the student, ``(R, K_S, width)``, filled up with -inf."""
        padded = torch.cat([logits, logits.new_full((len(logits), 1), float('-inf'))], dim=1)
        return padded[:, self.members]


def _logsumexp(groups: Tensor) -> Tensor:
    """Over the last dimension, ``(R, K)``; one member stays exactly what it is."""
    return groups.squeeze(2) if groups.shape[2] == 1 else to_float(groups).logsumexp(dim=2)


def _box_units(head: BBoxHead) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the box coder, ``(4,)`` each; 0 and 1 if it has none."""
    mean = torch.tensor(getattr(head.bbox_coder, 'means', (0.0,) * 4))
    std = torch.tensor(getattr(head.bbox_coder, 'stds', (1.0,) * 4))
    return mean, std

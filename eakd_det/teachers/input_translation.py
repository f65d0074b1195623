"""Translation of a batch from the student's pixel format to the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.structures import DetDataSample
from torch import Tensor, nn


class InputTranslation(nn.Module):
    r"""Translates a batch from one preprocessor's normalisation to another's, by an affine map of each channel.

    With the student's mean :math:`\mu_S` and standard deviation :math:`\sigma_S`, the teacher's :math:`\mu_T` and
    :math:`\sigma_T` (grey levels, 0 to 255), and the channels :math:`\pi` swapped where one network takes RGB and the
    other BGR,

    .. math:: x_T = \frac{\sigma_{S,\pi}\, x_{S,\pi} + \mu_{S,\pi} - \mu_T}{\sigma_T}

    The padding right of and below each image becomes the teacher's padding value. If both formats are equal, the batch
    is returned unchanged.

    Args:
        student: The preprocessor that made the batch (``ImgDataPreprocessor`` or a subclass).
        teacher: The teacher's preprocessor. A plain ``BaseDataPreprocessor``, which a detector gets whose config has no
            data_preprocessor, is assumed to have the student's format.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, student: nn.Module, teacher: nn.Module) -> None:
        super().__init__()
        mean_s, std_s, swaps_s, self._pad_student = _pixel_format(student)
        mean_t, std_t, swaps_t, self._pad_teacher = _pixel_format(teacher)
        if not hasattr(teacher, '_channel_conversion'):
            mean_t, std_t, swaps_t, self._pad_teacher = mean_s, std_s, swaps_s, self._pad_student
        self.swaps_channels = swaps_s != swaps_t
        if self.swaps_channels:
            mean_s, std_s = mean_s.flip(0), std_s.flip(0)
        self.register_buffer('scale', std_s / std_t, persistent=False)
        self.register_buffer('shift', (mean_s - mean_t) / std_t, persistent=False)
        same_values = torch.equal(mean_s, mean_t) and torch.equal(std_s, std_t)
        self.is_identity = same_values and not self.swaps_channels and self._pad_student == self._pad_teacher

    def forward(self, images: Tensor, data_samples: Sequence[DetDataSample]) -> Tensor:
        """Translate ``images``, ``(N, 3, H, W)``; ``data_samples`` have each image's size before padding."""
        if self.is_identity:
            return images
        if self.swaps_channels:
            images = images.flip(1)
        translated = torch.addcmul(self.shift, images, self.scale)
        for image, sample in zip(translated, data_samples, strict=True):
            height, width = sample.metainfo['img_shape'][:2]
            image[:, height:, :] = self._pad_teacher
            image[:, :, width:] = self._pad_teacher
        return translated


def _pixel_format(preprocessor: nn.Module) -> tuple[Tensor, Tensor, bool, float]:
    """Return mean and std per channel ``(3, 1, 1)``, whether channels are swapped, and the padding value."""
    mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    if getattr(preprocessor, '_enable_normalize', False):
        buffers = dict(preprocessor.named_buffers())
        mean, std = (buffers[name].expand(3, 1, 1).clone() for name in ('mean', 'std'))
    swaps = bool(getattr(preprocessor, '_channel_conversion', False))
    return mean, std, swaps, float(getattr(preprocessor, 'pad_value', 0))

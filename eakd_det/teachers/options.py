"""Options that make a frozen teacher cheaper to run without changing its predictions."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from mmcv.cnn import ConvModule
from mmcv.cnn.utils import fuse_conv_bn
from mmdet.models import BaseDetector
from torch import Tensor, nn
from torch.nn.functional import conv2d

from eakd_det.arguments import from_option_dict
from eakd_det.models.memory_layout import arrange, prefers_channels_first
from eakd_det.models.winograd import use_winograd
from eakd_det.sites import SiteHead

_DTYPES = {'float32': None, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


@dataclass(frozen=True)
class TeacherOptions:
    """How a teacher runs.

    The defaults are the options that never made a step slower; docs/speed.md has the measurements.

    Attributes:
        enabled: False turns off all other options.
        fuse_norm: Fold BatchNorm into the preceding convolution (outputs equal to 1e-4), except in a part (backbone,
            neck, head) that a recorder records inside.
        channels_last: Run backbone and neck on channels-last memory. None does so on a CPU, where it was measured, for
            batches of 131,072 pixels or more (one image of 362 x 362), unless a recorder records feature maps (not
            every loss can read that layout) or the teacher has deformable convolutions (which cannot).
        dtype: 'float32', or 'bfloat16' / 'float16' to run backbone, neck and head under autocast; the logits are
            returned in float32, with the precision of that dtype. 'auto' is bfloat16 if a convolution is faster in it
            on this device: on GPUs and CPUs with such units (AMD since Zen 4, Intel with AMX).
        free_unused: Free the memory of the parts that distillation does not run: RPN, mask head, assigner, sampler. The
            teacher can then neither be evaluated nor recorded there.
        winograd: Compute the widest 3 x 3 convolutions by Winograd's minimal filtering on a CPU, see
            :class:`StudentOptions`; not under autocast.
        compile: Run backbone and neck through ``torch.compile``. It pays off only if image sizes rarely change, so not
            with multi-scale training.

    Example:
        >>> TeacherOptions(dtype='bfloat16').dtype
        'bfloat16'
    """

    enabled: bool = True
    fuse_norm: bool = True
    channels_last: bool | None = None
    dtype: Literal['float32', 'bfloat16', 'float16', 'auto'] = 'float32'
    free_unused: bool = False
    winograd: bool = False
    compile: bool = False

    @classmethod
    def from_config(cls, cfg: dict[str, Any] | None) -> TeacherOptions:
        """Return the options in ``model.teacher_options``; an invalid one is a :class:`ConfigError`."""
        options = from_option_dict(cls, cfg, 'model.teacher_options')
        return options if options.enabled else cls(enabled=False, fuse_norm=False, channels_last=False)

    def decided_for(self, teacher: BaseDetector, recorded: Iterable[str]) -> TeacherOptions:
        """Return the options for ``teacher`` with recorders on the sources ``recorded``."""
        if self.channels_last is None and prefers_channels_first(teacher, recorded):
            return replace(self, channels_last=False)
        return self

    def prepare(self, head: SiteHead, recorded: Iterable[str] = ()) -> None:
        """Apply the options in place to the detector of ``head``, whose weights are loaded.

        Args:
            head: The teacher's head.
            recorded: Sources of the recorders on the teacher, such as 'backbone.layer4.1.conv2'.
        """
        detector: BaseDetector = head.detector
        detector.eval()  # folding needs the running statistics
        if self.free_unused:
            head.free_unused()
        if self.fuse_norm:
            _fuse_norm(detector, head.name, tuple(recorded))
        if self.winograd:
            use_winograd(detector)
        if self.channels_last:
            detector.to(memory_format=torch.channels_last)
        if self.compile:
            detector.extract_feat = torch.compile(detector.extract_feat, dynamic=True)
        detector.eval()  # whose result LAD's detector does not return
        detector.requires_grad_(False)

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """Return the context in which the teacher runs: autocast to ``dtype`` unless that is float32."""
        dtype = _faster_dtype(device.type) if self.dtype == 'auto' else _DTYPES[self.dtype]
        return torch.autocast(device.type, dtype) if dtype else contextlib.nullcontext()

    def arrange(self, images: Tensor) -> Tensor:
        """Return ``images``, ``(N, 3, H, W)``, in the memory layout of the teacher."""
        return arrange(images, self.channels_last)


@functools.cache
def _faster_dtype(device: str) -> torch.dtype | None:
    """Return bfloat16 if a convolution is faster in it than in float32 on ``device``, else None.

    It draws no random numbers, so that the student's samples are the same with any dtype.
    """
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        kernel = torch.zeros(256, 256, 3, 3, device=device, dtype=dtype)
        maps = torch.zeros(1, 256, 32, 32, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
        seconds[dtype] = min(_seconds(kernel, maps) for _ in range(5))
    return torch.bfloat16 if seconds[torch.bfloat16] < seconds[torch.float32] else None


@torch.no_grad()
def _seconds(kernel: Tensor, maps: Tensor) -> float:
    start = time.perf_counter()
    float(conv2d(maps, kernel, padding=1).flatten()[0])  # synchronises
    return time.perf_counter() - start


def _fuse_norm(detector: BaseDetector, head: str, recorded: tuple[str, ...]) -> None:
    for part in ('backbone', 'neck', head):
        is_recorded = any(source.startswith(f'{part}.') for source in recorded)
        if not is_recorded and (part != 'neck' or detector.with_neck) and _is_foldable(detector.get_submodule(part)):
            fuse_conv_bn(detector.get_submodule(part))


def _is_foldable(part: nn.Module) -> bool:
    """Whether each convolution has one norm, and before that: RTMDet's head shares its own between levels."""
    weights = [
        id(module.weight) for _, module in part.named_modules(remove_duplicate=False) if type(module) is nn.Conv2d
    ]
    orders = (module.order for module in part.modules() if isinstance(module, ConvModule) and module.with_norm)
    return len(set(weights)) == len(weights) and all(order.index('conv') < order.index('norm') for order in orders)

"""Make a frozen teacher cheaper to run, without changing what it predicts."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from mmcv.cnn import ConvModule
from mmcv.cnn.utils import fuse_conv_bn
from mmdet.models import BaseDetector
from torch import Tensor, nn

from eakd_det.arguments import from_option_dict
from eakd_det.models.memory_layout import arrange, prefers_channels_first
from eakd_det.models.winograd import use_winograd
from eakd_det.sites import SiteHead

_DTYPES = {'float32': None, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
_AUTO = 'auto'


@dataclass(frozen=True)
class TeacherOptions:
    """What may be done to a teacher that never trains again.

    Only what never loses is on by default; docs/speed.md has the measurements.

    Attributes:
        enabled: False turns all of the below off at once.
        fuse_norm: Fold BatchNorm into the convolution before it (equal outputs to 1e-4), except in a part (backbone,
            neck, head) inside which a recorder looks: it would see the folded output. Defaults to True.
        channels_last: Run backbone and neck on channels-last memory. Defaults to None: on a CPU, for batches of
            131,072 pixels or more (one image of 362 x 362), where it gained; not if a recorder looks at feature maps
            (not every loss can read that layout) or the teacher has deformable convolutions (they cannot), and not
            on a GPU, where it was not measured.
        dtype: 'float32', or 'bfloat16' / 'float16' to run backbone, neck and head under autocast; the logits come
            back in float32, but are those of a less precise teacher. 'auto' takes bfloat16 if a convolution in it is
            faster here: on GPUs and CPUs with such units (AMD since Zen 4, Intel with AMX); others are slower in it,
            some by half. Defaults to 'float32'.
        free_unused: Drop from memory what distillation does not run: RPN, mask head, assigner, sampler. The teacher
            can then no longer be evaluated, nor recorded there. Defaults to False.
        winograd: Compute the widest 3 x 3 convolutions by Winograd's minimal filtering on a CPU, see
            :class:`StudentOptions`; not under autocast. Defaults to False.
        compile: Run backbone and neck through ``torch.compile``; pays off only if image sizes rarely change, so
            not with multi-scale training. Defaults to False.

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
        """Options from ``model.teacher_options``.

        Raises:
            ConfigError: If a key is unknown or a value is out of range.
        """
        options = from_option_dict(cls, cfg, 'model.teacher_options')
        return options if options.enabled else cls(enabled=False, fuse_norm=False, channels_last=False)

    def decided_for(self, teacher: BaseDetector, recorded: Iterable[str]) -> TeacherOptions:
        """These options for ``teacher`` with recorders on the sources ``recorded``."""
        if self.channels_last is None and prefers_channels_first(teacher, recorded):
            return replace(self, channels_last=False)
        return self

    def prepare(self, head: SiteHead, recorded: Iterable[str] = ()) -> None:
        """Apply to the detector of ``head``, which has its weights, in place.

        Args:
            head: The head at which the teacher predicts.
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
        detector.eval().requires_grad_(False)

    @contextlib.contextmanager
    def running(self, device: torch.device) -> Iterator[None]:
        """The context the teacher runs in: autocast if another dtype is asked for, else whatever surrounds it."""
        dtype = _faster_dtype(device.type) if self.dtype == _AUTO else _DTYPES[self.dtype]
        with torch.autocast(device.type, dtype) if dtype else contextlib.nullcontext():
            yield

    def arrange(self, images: Tensor) -> Tensor:
        """Bring ``images`` ``(N, 3, H, W)`` into the memory layout the teacher runs on."""
        return arrange(images, self.channels_last)


@functools.cache
def _faster_dtype(device: str) -> torch.dtype | None:
    """bfloat16 if a convolution takes less time in it than in float32 on ``device``, else None."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        layer = nn.Conv2d(256, 256, 3, padding=1).to(device=device, dtype=dtype)
        maps = torch.zeros(1, 256, 32, 32, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
        seconds[dtype] = min(_seconds(layer, maps) for _ in range(5))
    return torch.bfloat16 if seconds[torch.bfloat16] < seconds[torch.float32] else None


@torch.no_grad()
def _seconds(layer: nn.Module, maps: Tensor) -> float:
    start = time.perf_counter()
    float(layer(maps).flatten()[0])  # waits for a GPU
    return time.perf_counter() - start


def _fuse_norm(detector: BaseDetector, head: str, recorded: tuple[str, ...]) -> None:
    for part in ('backbone', 'neck', head):
        looked_into = any(source.startswith(f'{part}.') for source in recorded)
        if not looked_into and (part != 'neck' or detector.with_neck) and _is_foldable(detector.get_submodule(part)):
            fuse_conv_bn(detector.get_submodule(part))


def _is_foldable(part: nn.Module) -> bool:
    """Whether each convolution has one norm, and before that: RTMDet's head shares its own between levels."""
    weights = [
        id(module.weight) for _, module in part.named_modules(remove_duplicate=False) if type(module) is nn.Conv2d
    ]
    orders = (module.order for module in part.modules() if isinstance(module, ConvModule) and module.with_norm)
    return len(set(weights)) == len(weights) and all(order.index('conv') < order.index('norm') for order in orders)

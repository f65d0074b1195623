"""Start a student from its teacher's weights: equal tensors are copied, wider ones thinned by weight selection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from eakd_det.checkpoint import load_checkpoint_file
from eakd_det.checkpoint.loading import detector_state_dict
from eakd_det.errors import ConfigError
from eakd_det.selection import select_elements

_KEY = 'model.inherit'
_PREDICTORS = ('cls', 'reg', 'obj', 'centerness', 'ctr')  # their outputs are classes and offsets, not channels
_NORM_COUNTER = 'num_batches_tracked'


@dataclass(frozen=True)
class Inherited:
    """Counts of the tensors of one part of the student.

    Attributes:
        copied: Tensors with the teacher's shape.
        thinned: Tensors with elements selected from a wider tensor of the teacher.
        left: Tensors without a counterpart, which keep their initial values.
    """

    copied: int = 0
    thinned: int = 0
    left: int = 0

    def __str__(self) -> str:
        counts = [(self.copied, 'copied'), (self.thinned, 'thinned'), (self.left, 'left as initialised')]
        return ', '.join(f'{count} {what}' for count, what in counts if count)


@torch.no_grad()
def inherit_weights(
    student: nn.Module, teacher: Mapping[str, Tensor], parts: Sequence[str], same_classes: bool = True
) -> dict[str, Inherited]:
    """Replace the weights of ``parts`` of ``student`` by the teacher's, in place.

    A layer is taken as a whole or not at all. It is taken if the teacher has a layer of that name with the same
    kernel, and each dimension of channels is equal or larger there. Inputs of another width are selected only if the
    part that produces them is inherited as well, because channels of different networks do not correspond; likewise,
    a backbone is taken only as a whole.

    Args:
        student: The detector.
        teacher: The teacher's state dict.
        parts: Children of the detector, such as 'backbone', 'neck', 'rpn_head' and 'roi_head'.
        same_classes: Whether both have the same classes; otherwise layers that predict classes are left.

    Returns:
        What was taken for each part.

    Raises:
        ConfigError: If the student has no such part, or nothing fits.
    """
    check_parts(student, parts)
    ordered = [name for name, _ in student.named_children() if name in parts]
    result: dict[str, Inherited] = {}
    whole: set[str] = set()
    for part in ordered:
        upstream = {'backbone': None, 'neck': 'backbone'}.get(part, 'neck' if hasattr(student, 'neck') else 'backbone')
        selects_inputs = upstream is None or upstream in whole
        taken, left = _fitting(student, teacher, part, selects_inputs, same_classes)
        if part == 'backbone' and left:
            left, taken = left + len(taken), {}
        own = student.state_dict()
        thinned = 0
        for name, tensor in taken.items():
            thinned += tensor.shape != teacher[name].shape
            own[name].copy_(tensor)
        if not left:
            whole.add(part)
        result[part] = Inherited(len(taken) - thinned, thinned, left)
    if not any(item.copied + item.thinned for item in result.values()):
        raise ConfigError(f'{_KEY}: expected layers of the student that fit the teacher, but found none in {parts}')
    return result


@dataclass(frozen=True)
class Inheritance:
    """What ``model.inherit`` asks for.

    Attributes:
        parts: Parts of the student.
        teacher_ckpt: The teacher's weights.
        same_classes: Whether both networks have the same classes.
    """

    parts: Sequence[str]
    teacher_ckpt: str
    same_classes: bool

    @classmethod
    def from_config(
        cls, student: nn.Module, parts: Sequence[str], teacher_ckpt: str | None, same_classes: bool
    ) -> Inheritance:
        """Check the settings; a part that the student does not have, or no checkpoint, is a :class:`ConfigError`."""
        check_parts(student, parts)
        if not teacher_ckpt:
            raise ConfigError(f'{_KEY}: expected model.teacher_ckpt to be set as well, but got none')
        return cls(parts, teacher_ckpt, same_classes)

    def apply(self, student: nn.Module, is_loaded: bool) -> None:
        """Call :func:`inherit_weights` and log the counts, unless a checkpoint gave ``student`` its weights."""
        if is_loaded:
            print_log(f'{_KEY} has no effect: the student already has weights', logger='current')
            return
        key = 'model.teacher_ckpt'
        weights = detector_state_dict(load_checkpoint_file(self.teacher_ckpt, key), key, self.teacher_ckpt)
        inherited = inherit_weights(student, weights, self.parts, self.same_classes)
        tensors = '; '.join(f'{part}: {counts}' for part, counts in inherited.items())
        print_log(f'Tensors inherited from the teacher: {tensors}', logger='current')


def check_parts(student: nn.Module, parts: Sequence[str]) -> None:
    """Raise :class:`ConfigError` unless ``parts`` are parts of ``student`` with weights, each named once."""
    known = [name for name, child in student.named_children() if child.state_dict()]
    wrong = [part for part in parts if part not in known or list(parts).count(part) > 1]
    if wrong or not parts:
        raise ConfigError(f'{_KEY}: expected some of {", ".join(known)}, each once, but got {list(parts)}')


def _fitting(
    student: nn.Module, teacher: Mapping[str, Tensor], part: str, selects_inputs: bool, same_classes: bool
) -> tuple[dict[str, Tensor], int]:
    """Return the teacher's tensors in the student's shapes, and the number of tensors that have none."""
    layers: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in student.get_submodule(part).state_dict().items():
        if not name.endswith(_NORM_COUNTER):
            layer = f'{part}.{name}'.rpartition('.')[0]
            layers[layer][f'{part}.{name}'] = tensor
    taken: dict[str, Tensor] = {}
    left = 0
    for layer, tensors in layers.items():
        fitted = {
            name: _fit(student, layer, tensor, teacher.get(name), selects_inputs, same_classes)
            for name, tensor in tensors.items()
        }
        found = {name: tensor for name, tensor in fitted.items() if tensor is not None}
        if len(found) < len(tensors):
            left += len(tensors)
        else:
            taken.update(found)
    return taken, left


def _fit(
    student: nn.Module, layer: str, own: Tensor, source: Tensor | None, selects_inputs: bool, same_classes: bool
) -> Tensor | None:
    """Return ``source`` in the shape of ``own``, or None if that is impossible."""
    if source is None or source.dim() != own.dim() or source.shape[2:] != own.shape[2:]:
        return None
    if any(mine > given for mine, given in zip(own.shape[:2], source.shape[:2], strict=True)):
        return None
    words = layer.rpartition('.')[2].split('_')
    predicts = any(word in _PREDICTORS for word in words)
    if predicts and (own.shape[:1] != source.shape[:1] or not (same_classes or 'rpn_head' in layer)):
        return None
    if own.dim() > 1 and own.shape[1] != source.shape[1]:
        if not selects_inputs or getattr(student.get_submodule(layer), 'groups', 1) > 1:
            return None
        source = select_elements(source, own.shape[1], 1, _positions(student, layer, own))
    if own.dim() > 0 and own.shape[0] != source.shape[0]:
        source = select_elements(source, own.shape[0], 0)
    return source


def _positions(student: nn.Module, layer: str, weight: Tensor) -> int:
    """Return the number of inputs of ``layer`` for each channel: more than 1 after flattening."""
    names = layer.split('.')
    for length in range(len(names), 0, -1):
        head = student.get_submodule('.'.join(names[:length]))
        area, channels = getattr(head, 'roi_feat_area', 1), getattr(head, 'in_channels', None)
        if isinstance(channels, int) and weight.dim() == 2 and weight.shape[1] == channels * area:
            return int(area)
    return 1

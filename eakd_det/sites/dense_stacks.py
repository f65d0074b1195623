"""The two stacks of convolutions in a dense head: their maps after one of them, and the head entered there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

from eakd_det.functional import InnerMaps

_BRANCHES = ('cls_convs', 'reg_convs')


def why_not_after(student: Any, teacher: Any, after: int) -> tuple[str, str, str] | None:
    """Return a side, what is expected of its head and what it is, if maps cannot pass after ``after`` convolutions."""
    widths = []
    for side, head in (('student', student), ('teacher', teacher)):
        kind = type(head).__name__
        branches = [_stacks(head, branch) for branch in _BRANCHES]
        if not all(branches):
            return side, f'{" and ".join(_BRANCHES)}, between which maps pass', f'a {kind} without'
        stacks = [stack for branch in branches for stack in branch]
        depth = min(map(len, stacks))
        if depth <= after:
            return side, f'more than {after} convolutions', f'a {kind} with {depth}; set a smaller after'
        convs = [stack[after - 1] for stack in stacks]
        if not all(hasattr(conv, 'activate') and hasattr(conv, 'out_channels') for conv in convs):
            return side, 'convolutions with an activation each', f'a {kind} with {type(convs[0]).__name__}'
        widths.append([int(conv.out_channels) for conv in (convs[0], convs[-1])])
    if widths[0] != widths[1]:
        return 'teacher', f'{widths[0][0]} channels, as the student', f'{widths[1][0]}; set after=0, with a bridge'
    return None


@contextmanager
def inner_maps(head: Any, after: int) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Collect the maps of classes and boxes after ``after`` convolutions, level by level; 0 collects none."""
    found: tuple[list[Tensor], list[Tensor]] = ([], [])
    with ExitStack() as undo:
        for branch, maps in zip(_BRANCHES if after else (), found, strict=False):
            for stack in _stacks(head, branch):
                hook = stack[after - 1].register_forward_hook(lambda _, __, output, maps=maps: maps.append(output))
                undo.callback(hook.remove)
        yield found


@contextmanager
def entered(head: Any, maps: InnerMaps) -> Iterator[None]:
    """Let ``head``, whatever it is given, go on with ``maps``."""
    with ExitStack() as undo:
        for branch, levels in zip(_BRANCHES, maps[1:], strict=True):
            stacks = getattr(head, branch)
            undo.callback(setattr, head, branch, stacks)
            if _is_shared(stacks):
                entry = _entered(stacks, levels, maps.after)
            else:
                own = zip(stacks, levels, strict=True)
                entry = nn.ModuleList(_entered(stack, [level], maps.after) for stack, level in own)
            setattr(head, branch, entry)
        yield


class _Entry(nn.Module):
    """Returns the next map instead of what it is given; where a ReLU came before, what rescaling made negative is 0."""

    def __init__(self, levels: Sequence[Tensor], activation: nn.Module) -> None:
        super().__init__()
        self._levels = iter(levels)
        self._rectifies = isinstance(activation, nn.ReLU)

    def forward(self, features: Tensor) -> Tensor:
        """Return the next map, whatever ``features`` are."""
        features = next(self._levels)
        return features.relu() if self._rectifies else features


def _entered(stack: nn.ModuleList, levels: Sequence[Tensor], after: int) -> nn.ModuleList:
    last: Any = stack[after - 1]
    return nn.ModuleList([_Entry(levels, last.activate), *stack[after:]])


def _stacks(head: Any, branch: str) -> list[Any]:
    """Return the stack that all levels share, or that of each level."""
    stacks = getattr(head, branch, None)
    if not isinstance(stacks, nn.ModuleList) or not len(stacks):
        return []
    return [stacks] if _is_shared(stacks) else list(stacks)


def _is_shared(stacks: nn.ModuleList) -> bool:
    """Whether it is one stack of convolutions for all levels."""
    return not isinstance(stacks[0], (nn.ModuleList, nn.Sequential))

"""Comparison of a checkpoint's tensors with a model's, by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

_SHOWN = 3


@dataclass(frozen=True)
class LoadReport:
    """Comparison of a checkpoint's tensors with a model's.

    Attributes:
        matched: Names in both, with the same shape.
        missing: Names in the model alone.
        unexpected: Names in the checkpoint alone.
        mismatched: Names in both, with different shapes: (name, shape in the model, shape in the checkpoint).
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all tensors match, apart from the counters of BatchNorm."""
        differing = (*self.missing, *self.unexpected)
        return not self.mismatched and all(name.endswith('num_batches_tracked') for name in differing)

    def __str__(self) -> str:
        """Return counts and the first few names of each kind.

        Example:
            >>> print(LoadReport(('a', 'b'), missing=('c',), mismatched=(('d', (2, 3), (4, 3)),)))
            2 tensors match, 1 missing (c), 0 unexpected, 1 of another shape (d: model (2, 3), file (4, 3))
        """
        shapes = tuple(f'{name}: model {in_model}, file {in_file}' for name, in_model, in_file in self.mismatched)
        return (
            f'{len(self.matched)} tensors match, {len(self.missing)} missing{examples(self.missing)}, '
            f'{len(self.unexpected)} unexpected{examples(self.unexpected)}, '
            f'{len(self.mismatched)} of another shape{examples(shapes)}'
        )

    @property
    def hint(self) -> str:
        """The likely cause of a mismatch, for the end of a message."""
        if not self.matched:
            return 'nothing matches: is it a checkpoint of a detector?'
        differing = (*self.missing, *self.unexpected, *(name for name, _, _ in self.mismatched))
        if all('fc_cls' in name or 'fc_reg' in name or name.endswith('num_batches_tracked') for name in differing):
            return 'only the predictors differ: another number of classes?'
        return 'is it of another architecture than the config?'


def compare_state_dicts(model: Mapping[str, Tensor], checkpoint: Mapping[str, Tensor]) -> LoadReport:
    """Compare names and shapes of a model's tensors with a checkpoint's.

    Example:
        >>> import torch
        >>> compare_state_dicts({'a': torch.ones(2)}, {'a': torch.zeros(2), 'b': torch.ones(1)})
        LoadReport(matched=('a',), missing=(), unexpected=('b',), mismatched=())
    """
    shapes = {name: (tuple(model[name].shape), tuple(checkpoint[name].shape)) for name in model if name in checkpoint}
    return LoadReport(
        matched=tuple(name for name, (in_model, in_file) in shapes.items() if in_model == in_file),
        missing=tuple(name for name in model if name not in checkpoint),
        unexpected=tuple(name for name in checkpoint if name not in model),
        mismatched=tuple((name, *pair) for name, pair in shapes.items() if pair[0] != pair[1]),
    )


def examples(names: tuple[str, ...]) -> str:
    """Return the first few names in brackets, or an empty string."""
    return f' ({", ".join(names[:_SHOWN])}{", ..." if len(names) > _SHOWN else ""})' if names else ''

"""How the tensors of a checkpoint compare with those of a model, by name and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

_SHOWN = 3


@dataclass(frozen=True)
class LoadReport:
    """How the tensors of a checkpoint compare with those of a model.

    Attributes:
        matched: Names both have, in the same shape.
        missing: Names only the model has.
        unexpected: Names only the checkpoint has.
        mismatched: Names both have in different shapes: (name, shape in the model, shape in the checkpoint).
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every tensor has its counterpart; the counters of BatchNorm do not count."""
        differing = (*self.missing, *self.unexpected)
        return not self.mismatched and all(name.endswith('num_batches_tracked') for name in differing)

    def __str__(self) -> str:
        """Counts, and the first few names of each kind.

        Example:
            >>> print(LoadReport(('a', 'b'), missing=('c',), mismatched=(('d', (2, 3), (4, 3)),)))
            2 tensors match, 1 missing (c), 0 unexpected, 1 of another shape (d: model (2, 3), file (4, 3))
        """
        shapes = tuple(f'{name}: model {ours}, file {theirs}' for name, ours, theirs in self.mismatched)
        return (
            f'{len(self.matched)} tensors match, {len(self.missing)} missing{examples(self.missing)}, '
            f'{len(self.unexpected)} unexpected{examples(self.unexpected)}, '
            f'{len(self.mismatched)} of another shape{examples(shapes)}'
        )

    @property
    def hint(self) -> str:
        """A guess at what is wrong, for the end of a message."""
        if not self.matched:
            return 'nothing matches: is it a checkpoint of a detector?'
        differing = (*self.missing, *self.unexpected, *(name for name, _, _ in self.mismatched))
        if all('fc_cls' in name or 'fc_reg' in name or name.endswith('num_batches_tracked') for name in differing):
            return 'only the predictors differ: another number of classes?'
        return 'is it of another architecture than the config?'


def compare_state_dicts(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> LoadReport:
    """Compare names and shapes of a model's tensors with a checkpoint's.

    Example:
        >>> import torch
        >>> compare_state_dicts({'a': torch.ones(2)}, {'a': torch.zeros(2), 'b': torch.ones(1)})
        LoadReport(matched=('a',), missing=(), unexpected=('b',), mismatched=())
    """
    shared = [name for name in ours if name in theirs]
    return LoadReport(
        matched=tuple(name for name in shared if ours[name].shape == theirs[name].shape),
        missing=tuple(name for name in ours if name not in theirs),
        unexpected=tuple(name for name in theirs if name not in ours),
        mismatched=tuple(
            (name, tuple(ours[name].shape), tuple(theirs[name].shape))
            for name in shared
            if ours[name].shape != theirs[name].shape
        ),
    )


def examples(names: tuple[str, ...]) -> str:
    """The first few names in brackets, or nothing."""
    if not names:
        return ''
    return f' ({", ".join(names[:_SHOWN])}{", ..." if len(names) > _SHOWN else ""})'

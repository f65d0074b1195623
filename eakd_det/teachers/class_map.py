"""Which classes of the teacher stand for each class of the student, where their lists differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eakd_det.arguments import did_you_mean, require
from eakd_det.errors import ConfigError
from eakd_det.plurals import counted
from eakd_det.sites import ClassGroups

KEY = 'model.class_map'
UNMAPPED = ('background', 'drop')


@dataclass(frozen=True)
class ClassMap:
    """For each class of the student, in its order, the classes of the teacher that mean the same.

    Built from ``model.class_map``, which may be

    * a dict from names of the student's classes to the teacher's, for those that are called otherwise:
      ``{'bike': 'bicycle', 'vehicle': ['car', 'bus', 'truck']}``. All others have the same name on both sides. It needs
      ``model.student_classes``, the names in the order of the student's data, because a saved config keeps no
      order of a dict; the training data must agree (``ClassCheckHook``);
    * a list of the teacher's classes, one for each class of the student in its order.

    The teacher's classes may be given by name, if its checkpoint names them, or by index. Several for one class are
    merged: their probabilities add up.

    Attributes:
        student_classes: The student's class names, if the config has them.
        members: For each class of the student the indices of the teacher's classes.
        unmapped: Indices of the teacher's classes that no class of the student stands for.
        merges_unmapped: True if the unmapped classes count as background ('background'), False if they are left out
            and the rest renormalised ('drop').

    Example:
        >>> ClassMap.resolve({'pet': ['dog', 'cat']}, 'background', 2, ('pet', 'car'), 4, ('cat', 'dog', 'car', 'bus'))
        ClassMap(student_classes=('pet', 'car'), members=((1, 0), (2,)), unmapped=(3,), merges_unmapped=True)
    """

    student_classes: tuple[str, ...] | None
    members: tuple[tuple[int, ...], ...]
    unmapped: tuple[int, ...]
    merges_unmapped: bool

    @classmethod
    def resolve(
        cls,
        entries: Mapping[str, Any] | Sequence[Any],
        unmapped: str,
        student_count: int,
        student_classes: Sequence[str] | None,
        teacher_count: int,
        teacher_classes: Sequence[str] | None,
    ) -> ClassMap:
        """Turn the config's entries into indices.

        Args:
            entries: ``model.class_map``.
            unmapped: ``model.unmapped_classes``: 'background' or 'drop'.
            student_count: Number of the student's classes without background.
            student_classes: ``model.student_classes``, or None.
            teacher_count: Number of the teacher's classes without background.
            teacher_classes: The teacher's class names, None if its checkpoint has none.

        Raises:
            ConfigError: If a class of the student is left out, a class of the teacher is unknown or stands for two
                classes, or names are given where they are unknown.
        """
        require('model.unmapped_classes', unmapped, Literal[UNMAPPED])
        names = None if student_classes is None else tuple(student_classes)
        if names is not None and len(names) != student_count:
            raise ConfigError(
                f'model.student_classes: expected {counted(student_count, "name")}, one for each class of the student '
                f'(num_classes of its head), but got {len(names)}'
            )
        values = _values(entries, names, student_count)
        members = tuple(
            _indices(value, f'{KEY}[{names[index] if names else index!r}]', teacher_count, teacher_classes)
            for index, value in enumerate(values)
        )
        _require_disjoint(members, names, teacher_classes)
        used = {index for group in members for index in group}
        left = tuple(index for index in range(teacher_count) if index not in used)
        return cls(names, members, left, unmapped == 'background')

    @property
    def groups(self) -> ClassGroups:
        """The classes of the teacher in the student's columns."""
        return ClassGroups(self.members, self.unmapped if self.merges_unmapped else ())

    def describe(self, student_classes: Sequence[str], teacher_classes: Sequence[str] | None) -> str:
        """Return one line for the log: what stands for what, and what becomes of the rest."""

        def name(index: int) -> str:
            return teacher_classes[index] if teacher_classes else f'class {index}'

        pairs = [
            f'{target} <- {" + ".join(map(name, group))}'
            for target, group in zip(student_classes, self.members, strict=True)
        ]
        fate = 'count as background' if self.merges_unmapped else 'are dropped'
        return f'{", ".join(pairs)}; all others ({len(self.unmapped)}) of the teacher {fate}'


def _values(entries: Any, names: tuple[str, ...] | None, count: int) -> list[Any]:
    """Return what stands for each class of the student, in its order."""
    if isinstance(entries, Mapping):
        if names is None:
            raise ConfigError(
                "model.student_classes: expected the names of the student's classes in the order of its data, because "
                f'{KEY} is a dict, but got none'
            )
        unknown = sorted(set(entries) - set(names))
        if unknown:
            raise ConfigError(
                f'{KEY}: expected classes of the student ({", ".join(names)}) as keys, but got {", ".join(unknown)}'
                f'{did_you_mean(unknown[0], names)}'
            )
        return [entries.get(name, name) for name in names]
    if isinstance(entries, (str, bytes)) or not isinstance(entries, Sequence):
        raise ConfigError(
            f'{KEY}: expected a dict from student to teacher classes, or a list of teacher classes, but got {entries!r}'
        )
    if len(entries) != count:
        raise ConfigError(
            f'{KEY}: expected an entry for each of the {count} classes of the student '
            f'(num_classes of its head), but got {len(entries)}'
        )
    return list(entries)


def _indices(value: Any, key: str, count: int, names: Sequence[str] | None) -> tuple[int, ...]:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise ConfigError(f'{key}: expected at least one class of the teacher, but got none')
    return tuple(_index(item, key, count, names) for item in items)


def _index(item: Any, key: str, count: int, names: Sequence[str] | None) -> int:
    if isinstance(item, int) and not isinstance(item, bool):
        if not 0 <= item < count:
            raise ConfigError(f'{key}: expected an index from 0 to {count - 1} of a teacher class, but got {item}')
        return item
    if not isinstance(item, str):
        raise ConfigError(f'{key}: expected the name or index of a teacher class, but got {item!r}')
    if names is None:
        raise ConfigError(
            f'{key}: expected an index, because the teacher (teacher_ckpt) does not name its classes, but got {item!r}'
        )
    if item not in names:
        near = difflib.get_close_matches(item, names, n=5, cutoff=0.5) if len(names) > 12 else names
        some = f'{", ".join(near)}, ...' if len(near) < len(names) else ', '.join(names)
        hint = did_you_mean(item, names)
        raise ConfigError(f'{key}: expected one of the {len(names)} teacher classes ({some}), but got {item!r}{hint}')
    return list(names).index(item)


def _require_disjoint(
    members: tuple[tuple[int, ...], ...], names: tuple[str, ...] | None, teacher_classes: Sequence[str] | None
) -> None:
    """Refuse a class of the teacher that stands for two: its probability would count twice."""
    owner: dict[int, int] = {}
    for student_index, group in enumerate(members):
        for index in group:
            if index in owner:
                shared = teacher_classes[index] if teacher_classes else index
                first, second = (names[i] if names else i for i in (owner[index], student_index))
                raise ConfigError(
                    f'{KEY}: expected each class of the teacher once, '
                    f'but {shared!r} stands for {first!r} and {second!r}'
                )
            owner[index] = student_index

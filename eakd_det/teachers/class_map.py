"""Correspondence of the teacher's classes to the student's, where their lists differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eakd_det.arguments import require
from eakd_det.errors import ConfigError
from eakd_det.sites import ClassGroups

KEY = 'model.class_map'
Names = Sequence[str] | None


@dataclass(frozen=True)
class ClassMap:
    """For each class of the student, in its order, the classes of the teacher with the same meaning.

    Built from ``model.class_map``, which is either

    * a dict from names of the student's classes to the teacher's, for those with other names:
      ``{'bike': 'bicycle', 'vehicle': ['car', 'bus', 'truck']}``. All others have the same name on both sides. A dict
      needs ``model.student_classes``, the names in the order of the student's data, because a saved config does not
      keep the order of a dict; ``ClassCheckHook`` compares them with the training data;
    * or a list of the teacher's classes, one for each class of the student in its order.

    A class of the teacher is given by name, if its checkpoint has names, or by index. Several for one class are merged:
    their probabilities add up.

    Attributes:
        student_classes: The student's class names, if the config has them.
        members: For each class of the student, the indices of the teacher's classes.
        unmapped: Indices of the teacher's classes that correspond to none of the student's.
        merges_unmapped: Whether unmapped classes count as background ('background') or are dropped and the others
            renormalised ('drop').

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
        student_classes: Names,
        teacher_count: int,
        teacher_classes: Names,
    ) -> ClassMap:
        """Convert the entries of ``model.class_map`` to indices.

        Args:
            entries: ``model.class_map``.
            unmapped: ``model.unmapped_classes``, 'background' or 'drop'.
            student_count: Number of the student's classes without background.
            student_classes: ``model.student_classes``, or None.
            teacher_count: Number of the teacher's classes without background.
            teacher_classes: The teacher's class names, or None if its checkpoint has none.

        Raises:
            ConfigError: If an entry is missing, unknown or ambiguous, or a class of the teacher is used twice.
        """
        require('model.unmapped_classes', unmapped, Literal['background', 'drop'])
        names = None if student_classes is None else tuple(student_classes)
        if names is not None and len(names) != student_count:
            raise ConfigError(
                f'model.student_classes: expected {student_count} names, one for each class of the student '
                f'(num_classes of its head), but got {len(names)}'
            )
        members: list[tuple[int, ...]] = []
        owner: dict[int, Any] = {}
        for position, value in enumerate(_entries_in_order(entries, names, student_count)):
            name = names[position] if names else position
            key = f'{KEY}[{name!r}]'
            group = list(value) if isinstance(value, (list, tuple)) else [value]
            if not group:
                raise ConfigError(f'{key}: expected at least one class of the teacher, but got none')
            members.append(tuple(_index(item, key, teacher_count, teacher_classes) for item in group))
            for index in members[-1]:
                if index in owner:  # its probability would count twice
                    shared = teacher_classes[index] if teacher_classes else index
                    raise ConfigError(
                        f'{KEY}: expected each class of the teacher once, '
                        f'but {shared!r} stands for {owner[index]!r} and {name!r}'
                    )
                owner[index] = name
        unused = tuple(index for index in range(teacher_count) if index not in owner)
        return cls(names, tuple(members), unused, unmapped == 'background')

    @property
    def groups(self) -> ClassGroups:
        """The classes of the teacher in the student's columns."""
        return ClassGroups(self.members, self.unmapped if self.merges_unmapped else ())

    def describe(self, student_classes: Sequence[str], teacher_classes: Names) -> str:
        """Return the map as one line for the log."""

        def name(index: int) -> str:
            return teacher_classes[index] if teacher_classes else f'class {index}'

        pairs = [
            f'{target} <- {" + ".join(map(name, group))}'
            for target, group in zip(student_classes, self.members, strict=True)
        ]
        fate = 'count as background' if self.merges_unmapped else 'are dropped'
        return f'{", ".join(pairs)}; all others ({len(self.unmapped)}) of the teacher {fate}'


def _entries_in_order(entries: Any, names: Names, count: int) -> list[Any]:
    """Return the entry of each class of the student, in its order."""
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


def _index(item: Any, key: str, count: int, names: Names) -> int:
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
        shown = f'{", ".join(near)}, ...' if len(near) < len(names) else ', '.join(names)
        raise ConfigError(f'{key}: expected one of the {len(names)} teacher classes ({shown}), but got {item!r}')
    return list(names).index(item)

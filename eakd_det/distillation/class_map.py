"""Which classes of the teacher stand for each class of the student, where their lists differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eakd_det.errors import ConfigError, require_choice

KEY = 'model.class_map'
UNMAPPED = ('background', 'drop')


@dataclass(frozen=True)
class ClassMap:
    """For each class of the student, in its order, the classes of the teacher that mean the same.

    Built from ``model.class_map``, which may be

    * a dict that names every class of the student in the order of its data, each with the teacher's class:
      ``{'person': 'person', 'vehicle': ['car', 'bus', 'truck']}``. Names of the student are then compared with the
      training data's (``ClassCheckHook``);
    * a list of the teacher's classes alone, one for each class of the student.

    The teacher's classes may be given by name, if its checkpoint tells them, or by index. Several for one class are
    merged: their probabilities add up.

    Attributes:
        student_classes: The student's class names, if the map tells them.
        members: For each class of the student the indices of the teacher's classes.
        unmapped: Indices of the teacher's classes that no class of the student stands for.
        merges_unmapped: True if the unmapped classes count as background ('background'), False if they are left out
            and the rest renormalised ('drop').

    Example:
        >>> ClassMap.resolve({'pet': ['dog', 'cat'], 'car': 2}, 'background', 2, 4, ('cat', 'dog', 'car', 'bus'))
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
        teacher_count: int,
        teacher_classes: Sequence[str] | None,
    ) -> ClassMap:
        """Turn what the config says into indices.

        Args:
            entries: ``model.class_map``.
            unmapped: ``model.unmapped_classes``: 'background' or 'drop'.
            student_count: Number of the student's classes without background.
            teacher_count: The teacher's.
            teacher_classes: The teacher's class names, None if its checkpoint tells none.

        Raises:
            ConfigError: If a class of the student is left out, a class of the teacher is unknown or stands for two
                classes, or a name is given where the teacher's names are unknown.
        """
        require_choice('model.unmapped_classes', unmapped, UNMAPPED)
        if isinstance(entries, (str, bytes)) or not isinstance(entries, (Mapping, Sequence)):
            raise ConfigError(
                f'{KEY}: expected a dict from student to teacher classes, or a list of teacher classes, '
                f'but got {entries!r}'
            )
        named = isinstance(entries, Mapping)
        values = list(entries.values()) if isinstance(entries, Mapping) else list(entries)
        names = tuple(str(name) for name in entries) if named else None
        if len(values) != student_count:
            raise ConfigError(
                f'{KEY}: expected an entry for each of the {student_count} classes of the student '
                f'(architecture.roi_head.bbox_head.num_classes), but got {len(values)}'
            )
        members = tuple(
            _indices(value, f'{KEY}[{names[index] if names else index!r}]', teacher_count, teacher_classes)
            for index, value in enumerate(values)
        )
        _require_disjoint(members, names, teacher_classes)
        used = {index for group in members for index in group}
        left = tuple(index for index in range(teacher_count) if index not in used)
        return cls(names, members, left, unmapped == 'background')

    def describe(self, student_classes: Sequence[str], teacher_classes: Sequence[str] | None) -> str:
        """One line for the log: what stands for what, and what becomes of the rest."""

        def name(index: int) -> str:
            return teacher_classes[index] if teacher_classes else f'class {index}'

        pairs = [
            f'{ours} <- {" + ".join(map(name, group))}'
            for ours, group in zip(student_classes, self.members, strict=True)
        ]
        fate = 'count as background' if self.merges_unmapped else 'are dropped'
        return f'{", ".join(pairs)}; all others ({len(self.unmapped)}) of the teacher {fate}'


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
            f'{key}: expected an index, because the teacher (teacher_ckpt) does not tell its class names, '
            f'but got {item!r}'
        )
    if item not in names:
        raise ConfigError(f'{key}: expected one of the teacher classes {", ".join(names)}, but got {item!r}')
    return list(names).index(item)


def _require_disjoint(
    members: tuple[tuple[int, ...], ...], names: tuple[str, ...] | None, teacher_classes: Sequence[str] | None
) -> None:
    """A class of the teacher that stood for two would have its probability counted twice."""
    owner: dict[int, int] = {}
    for student_index, group in enumerate(members):
        for index in group:
            if index in owner:
                theirs = teacher_classes[index] if teacher_classes else index
                ours = [names[i] if names else i for i in (owner[index], student_index)]
                raise ConfigError(
                    f'{KEY}: expected each class of the teacher once, but {theirs!r} stands for '
                    f'{ours[0]!r} and {ours[1]!r}'
                )
            owner[index] = student_index

"""Read class names from a config."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eakd_det.errors import ConfigError

_EXPECTED = "classes: expected class names, as in classes=('cat', 'dog') or --cfg-options classes=cat,dog"


def read_class_names(value: Any) -> tuple[str, ...] | None:
    """Read the class names of a config or of ``--cfg-options``.

    The command line yields a list (``classes=cat,dog``), a single name (``classes=cat``) or numbers (``classes=0,1``);
    a config may also contain ``'cat, dog'``.

    Args:
        value: The value of ``classes``.

    Returns:
        The names, or None for None, which stands for the categories of the annotation file.

    Raises:
        ConfigError: If ``value`` is empty, is not a list of names, or repeats a name.

    Example:
        >>> read_class_names('RBC, WBC,Platelets')
        ('RBC', 'WBC', 'Platelets')
        >>> read_class_names([0, 1])
        ('0', '1')
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.split(',')
    elif isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, Sequence):
        raise ConfigError(f'{_EXPECTED}, but got {value!r}')
    names = tuple(_read_name(item) for item in value)
    if not names:
        raise ConfigError(f'{_EXPECTED}, but got none; omit classes to read them from train_ann')
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f'classes: expected unique names, but got {", ".join(repeated)} more than once')
    return names


def _read_name(item: Any) -> str:
    is_name = isinstance(item, (str, int)) and not isinstance(item, bool)
    if not is_name or not str(item).strip():
        raise ConfigError(f'{_EXPECTED}, but got {item!r} among them')
    return str(item).strip()


def spell_as_in_file(names: Sequence[str], categories: Sequence[str]) -> tuple[str, ...]:
    """Restore the blanks that ``--cfg-options`` removes from names, as in 'traffic light'.

    Names that match no category with or without blanks are returned unchanged.

    Example:
        >>> spell_as_in_file(['trafficlight', 'car'], ['car', 'traffic light'])
        ('traffic light', 'car')
    """
    by_compact_name = {category.replace(' ', ''): category for category in categories}
    return tuple(name if name in categories else by_compact_name.get(name, name) for name in names)

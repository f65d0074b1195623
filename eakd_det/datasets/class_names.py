"""Class names in a config: how they may be written, and where their number goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eakd_det.errors import ConfigError

_BOX_HEADS = ('bbox_head', 'mask_head')
_EXPECTED = "classes: expected class names, as in classes=('cat', 'dog') or --cfg-options classes=cat,dog"


def read_class_names(value: Any) -> tuple[str, ...] | None:
    """The class names that a config or ``--cfg-options`` holds.

    The command line gives a list (``classes=cat,dog``), a single name (``classes=cat``) or numbers (``classes=0,1``);
    a config may also hold ``'cat, dog'``.

    Args:
        value: The value of ``classes``.

    Returns:
        The names, or None if ``value`` is None: they are to be read from the annotation file.

    Raises:
        ConfigError: If ``value`` is empty, is not a list of names, or names a class twice.

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
        raise ConfigError(f'{_EXPECTED}, but got none; leave classes out (None) to read them from train_ann')
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f'classes: expected every name once, but {", ".join(twice)} occurs more than once')
    return names


def _read_name(item: Any) -> str:
    is_name = isinstance(item, (str, int)) and not isinstance(item, bool)
    if not is_name or not str(item).strip():
        raise ConfigError(f'{_EXPECTED}, but got {item!r} among them')
    return str(item).strip()


def spell_as_in_file(names: Sequence[str], categories: Sequence[str]) -> tuple[str, ...]:
    """Give back the blanks that ``--cfg-options`` takes out of names: 'trafficlight' is 'traffic light' in the file.

    Names that the file does not have, with or without blanks, stay as they are.

    Example:
        >>> spell_as_in_file(['trafficlight', 'car'], ['car', 'traffic light'])
        ('traffic light', 'car')
    """
    by_compact_name = {category.replace(' ', ''): category for category in categories}
    return tuple(name if name in categories else by_compact_name.get(name, name) for name in names)


def set_num_classes(model: Any, count: int) -> None:
    """Set ``num_classes`` of every box and mask head inside a model config, in every stage of a cascade.

    Args:
        model: A model config, changed in place; of a distillation, student and teacher are both reached, unless a
            ``class_map`` says that the teacher's classes are others.
        count: Number of classes without background.

    Example:
        >>> model = dict(roi_head=dict(bbox_head=[dict(num_classes=80), dict()]), rpn_head=dict(num_classes=1))
        >>> set_num_classes(model, 3)
        >>> model
        {'roi_head': {'bbox_head': [{'num_classes': 3}, {'num_classes': 3}]}, 'rpn_head': {'num_classes': 1}}
    """
    if isinstance(model, (list, tuple)):
        for item in model:
            set_num_classes(item, count)
    if not isinstance(model, dict):
        return
    for name, value in model.items():
        if name == 'teacher' and model.get('class_map') is not None:
            continue  # it has classes of its own, which the map translates
        if name in _BOX_HEADS:
            for head in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(head, dict):
                    head['num_classes'] = count
        set_num_classes(value, count)

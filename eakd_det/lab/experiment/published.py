"""COCO numbers from papers; ``published_coco.json`` has them with their sources."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def _read() -> dict[str, Any]:
    return json.loads((Path(__file__).parent / 'published_coco.json').read_text())


def published_pairs() -> tuple[str, ...]:
    """Return the names of the teacher-student pairs with published numbers.

    Example:
        >>> published_pairs()
        ('r101-r18', 'r50-mv2')
    """
    return tuple(_read()['pairs'])


def published_numbers(pair: str) -> dict[str, dict[str, float]]:
    """Return AP, AP50 and AP75 of a pair's teacher and arms, as fractions, by the names of the arms' configs.

    Example:
        >>> published_numbers('r101-r18')['ea-kd']['AP']
        0.3478
    """
    content = _read()
    rows = content['pairs'][pair]['rows']
    return {
        arm: {name: round(value / 100, 6) for name, value in zip(content['metrics'], row, strict=True)}
        for arm, row in rows.items()
    }


def published_notes(pair: str) -> list[str]:
    """Return notes on the numbers: their source, and their differences to this package's setting.

    Example:
        >>> 'Detectron2' in ' '.join(published_notes('r50-mv2'))
        True
    """
    content = _read()
    entry = content['pairs'][pair]
    return [
        f'Published numbers: {entry["source"]}, {content["data"]}.',
        f'Teachers: {entry["teacher_difference"]}.',
        *content['notes'],
    ]


def published_titles() -> dict[str, str]:
    """Return the titles of the pairs.

    Example:
        >>> published_titles()['r101-r18']
        'R101 to R18'
    """
    return {pair: entry['title'] for pair, entry in _read()['pairs'].items()}

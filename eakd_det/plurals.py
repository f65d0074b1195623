"""Numbers with their nouns, for messages."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return ``count`` and ``noun`` in its singular or plural.

    Example:
        >>> counted(1, 'image'), counted(0, 'box'), counted(2, 'class')
        ('1 image', '0 boxes', '2 classes')
    """
    plural = f'{noun}es' if noun.endswith(('s', 'x', 'ch')) else f'{noun}s'
    return f'{count} {noun if count == 1 else plural}'

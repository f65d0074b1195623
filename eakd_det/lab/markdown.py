"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]], texts: Sequence[int] = (0,)) -> str:
    """Return a table whose columns are flush right, as numbers are, but for those in ``texts``.

    Example:
        >>> print(markdown_table(['run', 'loss'], [['KD', '1.51']]))
        | run | loss |
        | --- | ---: |
        | KD | 1.51 |
    """
    rule = ['---:'] * len(headings)
    for column in texts:
        rule[column] = '---'
    return '\n'.join(f'| {" | ".join(line)} |' for line in (headings, rule, *rows))

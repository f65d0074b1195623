"""Tables in Markdown: for pages, and aligned for terminals."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def markdown_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[int] = (0,), aligned: bool = False
) -> str:
    """Return a table in Markdown, whose columns are flush right, as numbers are, except for ``texts``.

    Args:
        headings: A heading for each column.
        rows: The cells of each row.
        texts: Indices of the columns that are flush left; -1 is the last.
        aligned: Whether to fill cells with blanks, so that the columns line up.

    Example:
        >>> print(markdown_table(['run', 'loss'], [['KD', '1.51']]))
        | run | loss |
        | --- | ---: |
        | KD | 1.51 |
        >>> print(markdown_table(['run', 'loss'], [['EA-KD', '1.51']], aligned=True))
        | run   | loss |
        | :---- | ---: |
        | EA-KD | 1.51 |
    """
    left = {column % len(headings) for column in texts}
    lines = [headings, *rows]
    if aligned:
        widths = [max(4, *map(len, column)) for column in zip(*lines, strict=True)]
        lines = [
            [cell.ljust(width) if column in left else cell.rjust(width) for column, (cell, width) in enumerate(pairs)]
            for pairs in (zip(line, widths, strict=True) for line in lines)
        ]
        rule = [':' + '-' * (w - 1) if column in left else '-' * (w - 1) + ':' for column, w in enumerate(widths)]
    else:
        rule = ['---' if column in left else '---:' for column in range(len(headings))]
    return '\n'.join(f'| {" | ".join(line)} |' for line in (lines[0], rule, *lines[1:]))

"""Docstrings as Markdown: the package writes formulas, references and tables in reStructuredText."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable
from typing import Any

import griffe

_ROLE = re.compile(r':(?:class|func|meth|mod|attr|data):`(?P<short>~?)(?P<name>[^`]+)`')
_INLINE_MATH = re.compile(r':math:`(?P<tex>[^`]+)`')
_DISPLAY_MATH = re.compile(
    r'^(?P<indent> *)\.\. math::(?P<first>[^\n]*)\n(?P<rest>(?:(?: *\n)*(?P=indent) +\S[^\n]*\n?)*)', re.MULTILINE
)
_TABLE = re.compile(r'^(?P<indent> *)=+(?:  +=+)+\n(?P<rows>(?: *\S[^\n]*\n)+) *=+(?:  +=+)+ *$', re.MULTILINE)
_LINK = re.compile(r'`(?P<text>[^`<>]+) <(?P<url>https?://[^`>]+)>`_+')
_LITERAL_BLOCK = re.compile(r'::(?=\n\n +\S)')


def as_markdown(docstring: str) -> str:
    """Translate the reStructuredText in a docstring.

    Example:
        >>> as_markdown('The entropy :math:`H` in ``nats``.')
        'The entropy \\\\(H\\\\) in ``nats``.'
    """
    for pattern, replacement in _TRANSLATIONS:
        docstring = pattern.sub(replacement, docstring)
    return re.sub(r'^( *)Example:$', r'\1Examples:', docstring, flags=re.MULTILINE)


def _reference(match: re.Match[str]) -> str:
    name = match['name']
    shown = name.rsplit('.', 1)[-1] if match['short'] else name
    return f'<autoref optional identifier="{html.escape(name)}"><code>{html.escape(shown)}</code></autoref>'


def _display(match: re.Match[str]) -> str:
    formula = ' '.join(f'{match["first"]} {match["rest"]}'.split())
    return f'\n{match["indent"]}\\[{formula}\\]\n\n'


def _table(match: re.Match[str]) -> str:
    """Convert a simple table; its columns begin where the lines of ``=`` begin."""
    rule = match[0].strip('\n').split('\n')[0]
    starts = [found.start() for found in re.finditer('=+', rule)]
    rows = []
    for line in match['rows'].rstrip('\n').split('\n'):
        if set(line) <= {'=', ' '}:
            rows.append(['---'] * len(starts))
        else:
            ends = [*starts[1:], None]
            rows.append([line[start:end].strip() for start, end in zip(starts, ends, strict=True)])
    if ['---'] * len(starts) not in rows:
        rows.insert(0, ['---'] * len(starts))
        rows.insert(0, [''] * len(starts))
    return textwrap.indent('\n'.join(f'| {" | ".join(row)} |' for row in rows), match['indent'])


_TRANSLATIONS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_TABLE, _table),
    (_DISPLAY_MATH, _display),
    (_INLINE_MATH, r'\\(\g<tex>\\)'),
    (_ROLE, _reference),
    (_LINK, r'[\g<text>](\g<url>)'),
    (_LITERAL_BLOCK, ':'),
)


class Docstrings(griffe.Extension):
    """Griffe's extension that translates each docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Translate the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)

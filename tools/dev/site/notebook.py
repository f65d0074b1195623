"""A notebook as a page: its cells and their stored outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_COLOUR = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')


def markdown(path: Path) -> str:
    """Return the page of a notebook, with a link to the file."""
    cells = json.loads(path.read_text())['cells']
    pages = [_text(cell) if cell['cell_type'] == 'markdown' else _code(cell) for cell in cells]
    note = f'This page is a notebook: [download it]({path.name}) and open it in Jupyter, Colab or Kaggle.'
    title, _, rest = pages[0].partition('\n')
    return '\n\n'.join([title, note, rest.strip(), *pages[1:]]) + '\n'


def _text(cell: Mapping[str, Any]) -> str:
    return ''.join(cell['source']).strip()


def _code(cell: Mapping[str, Any]) -> str:
    blocks = [f'```python\n{_text(cell)}\n```', *(_output(output) for output in cell['outputs'])]
    return '\n\n'.join(block for block in blocks if block)


def _output(output: Mapping[str, Any]) -> str:
    data = output.get('data', {})
    for kind in ('image/png', 'image/jpeg'):
        if kind in data:
            picture = ''.join(data[kind]).replace('\n', '')
            alt = output.get('metadata', {}).get(kind, {}).get('alt') or ''.join(data.get('text/plain', ['']))
            return f'![{alt}](data:{kind};base64,{picture})'
    if 'text/markdown' in data:
        return ''.join(data['text/markdown'])
    text = ''.join(output.get('text') or data.get('text/plain') or [])
    return f'```text\n{_COLOUR.sub("", text).rstrip()}\n```' if text.strip() else ''

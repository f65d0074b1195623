"""The way from a file of the repository to its page on the site, and the links between them.

A page is written for the repository: its links are relative to its file, and work there. The site has the same pages
in other places, and a page for every other file that one of them links to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Pages outside of docs/.
MOVED = {
    'README.md': 'index.md',
    'configs/README.md': 'configs.md',
    'CHANGELOG.md': 'changelog.md',
    'CONTRIBUTING.md': 'contributing.md',
    'SECURITY.md': 'security.md',
}
_ON_SITE = ('.md', '.png', '.jpg', '.svg')
_FENCE = re.compile(r'(^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$)', re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r'(?<=\]\()(?P<path>[^()\s#:]+)?(?P<anchor>#[^()\s]*)?(?=\))')
_LANGUAGES = {'.py': 'python', '.sh': 'bash', '.json': 'json', '.yml': 'yaml', '.md': 'markdown', '': 'text'}


def site_path(repository_path: str) -> str:
    """Return the page of a file or folder of the repository.

    Example:
        >>> site_path('docs/resume.md'), site_path('configs/methods/kd.py')
        ('resume.md', 'source/configs/methods/kd.py.md')
    """
    if repository_path in MOVED:
        return MOVED[repository_path]
    path = Path(repository_path)
    if path.parts[0] == 'zoo' and path.name == 'README.md':
        return f'zoo/{path.parent.name}.md'
    if path.parts[0] == 'docs' and path.suffix == '.ipynb':
        return str(path.relative_to('docs').with_suffix('.md'))
    if path.parts[0] == 'docs' and path.suffix in _ON_SITE:
        return str(path.relative_to('docs'))
    return f'source/{repository_path}/index.md' if (ROOT / path).is_dir() else f'source/{repository_path}.md'


def targets(text: str, repository_path: str) -> Iterator[tuple[str, str]]:
    """Yield the file or folder and the anchor of each link to the repository in a page."""
    found: list[tuple[str, str]] = []

    def note(path: str, anchor: str) -> str:
        found.append((path, anchor))
        return path

    _replace(text, repository_path, note)
    yield from found


def for_site(text: str, repository_path: str) -> str:
    """Return a page of the repository with its links as they are on the site."""
    folder = posixpath.dirname(site_path(repository_path))
    return _replace(text, repository_path, lambda path, _: posixpath.relpath(site_path(path), folder or '.'))


def source_page(repository_path: str) -> str:
    """Return the Markdown that shows a file, or lists a folder."""
    path = ROOT / repository_path
    head = f'---\nsearch: {{exclude: true}}\n---\n\n# {repository_path}\n\n'
    if path.is_dir():
        return head + ''.join(f'- [`{name}`]({name}.md)\n' for name in folder_files(repository_path))
    language = _LANGUAGES.get(path.suffix, 'text')
    return f'{head}`````{language}\n{path.read_text().rstrip()}\n`````\n'


def folder_files(repository_path: str) -> list[str]:
    """Return the names of the files in a folder that have a page."""
    return sorted(file.name for file in (ROOT / repository_path).iterdir() if file.suffix in _LANGUAGES and file.suffix)


def _replace(text: str, repository_path: str, new_path: Callable[[str, str], str]) -> str:
    """Replace the path of each link to the repository, outside of code."""

    def replace(match: re.Match[str]) -> str:
        if match['path'] is None or match['path'].startswith('/'):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path), match['path']))
        return new_path(path, match['anchor'] or '') + (match['anchor'] or '')

    parts = _FENCE.split(text)[::3]
    fences = _FENCE.split(text)[1::3]
    replaced = [_TARGET.sub(replace, part) for part in parts]
    return ''.join(piece for pair in zip(replaced, [*fences, ''], strict=True) for piece in pair)

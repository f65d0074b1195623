"""MkDocs hooks: pages from other places of the repository, links, formulas as MathML, the notebook."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Link, Navigation
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
import api
import links
import notebook

_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
_ORIGINS: dict[str, str] = {}  # page of the site -> file of the repository
_ANCHORS: list[tuple[str, str, str]] = []  # section, title, target: entries of the navigation that MkDocs does not know


def on_config(config: MkDocsConfig) -> None:
    """Expand the navigation: the pages of the API, and entries that point into a page."""
    _ANCHORS.clear()
    for section in config.nav or []:
        ((title, entries),) = section.items()
        for entry in list(entries):
            ((name, target),) = entry.items() if isinstance(entry, dict) else (('', entry),)
            if '#' in target:
                entries.remove(entry)
                _ANCHORS.append((title, name, target))
            elif target == 'api/':
                entry[name] = [{module: f'api/{module}.md'} for module in api.MODULES]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    _ORIGINS.clear()
    for origin, page in links.MOVED.items():
        _add(files, config, page, (links.ROOT / origin).read_text(), origin)
    for book in sorted(Path(config.docs_dir).glob('*.ipynb')):
        files.remove(files.src_uris[book.name])
        origin = f'docs/{book.name}'
        _add(files, config, links.site_path(origin), notebook.markdown(book), origin)
    for card in sorted(links.ROOT.glob('zoo/*/README.md')):
        origin = str(card.relative_to(links.ROOT))
        _add(files, config, links.site_path(origin), card.read_text(), origin)
    for module in api.MODULES:
        _add(files, config, f'api/{module}.md', api.page(module))
    for file in list(files.documentation_pages()):
        if file.generated_by is None:
            _ORIGINS[file.src_uri] = f'docs/{file.src_uri}'
        _add_sources(files, config, file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links to the repository."""
    origin = _ORIGINS.get(page.file.src_uri)
    return markdown if origin is None else links.for_site(markdown, origin)


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Replace formulas with MathML, which browsers show without a script."""

    def formula(match: re.Match[str]) -> str:
        return convert(html.unescape(match['tex']), display='block' if match['open'] == '[' else 'inline')

    return _FORMULA.sub(formula, content)


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Add the entries that point into a page."""
    for section, title, target in _ANCHORS:
        page, _, anchor = target.partition('#')
        file = files.get_file_from_path(page)
        if file is None:
            raise SystemExit(f'mkdocs.yml: nav: expected a page, but {page} does not exist')
        link = Link(title, f'{file.url}#{anchor}')
        next(item for item in nav.items if item.title == section).children.append(link)
    return nav


def _add(files: Files, config: MkDocsConfig, page: str, text: str, origin: str | None = None) -> None:
    files.append(File.generated(config, page, content=text))
    if origin is not None:
        _ORIGINS[page] = origin


def _add_sources(files: Files, config: MkDocsConfig, file: File) -> None:
    """Add a page for each file and folder of the repository to which the page links."""
    origin = _ORIGINS.get(file.src_uri)
    waiting: list[Any] = [path for path, _ in links.targets(file.content_string, origin)] if origin else []
    while waiting:
        path = waiting.pop()
        page = links.site_path(path)
        if not page.startswith('source/') or page in files.src_uris:
            continue
        if not (links.ROOT / path).exists():
            raise SystemExit(f'{origin}: a link goes to {path}, which does not exist')
        _add(files, config, page, links.source_page(path))
        if (links.ROOT / path).is_dir():
            waiting += [f'{path}/{name}' for name in links.folder_files(path)]

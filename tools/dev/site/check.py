"""Check links and alt texts of the built site: python tools/dev/site/check.py SITE."""

from __future__ import annotations

import functools
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """The ids, links and pictures of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = {'', '__top'}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.without_alt: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        found = {name: value or '' for name, value in attrs}
        self.ids |= {found[name] for name in ('id', 'name') if name in found}
        self.links += [found[name] for name in ('href', 'src') if found.get(name)]
        if tag in ('script', 'img', 'iframe') or 'stylesheet' in found.get('rel', ''):
            self.loaded += [found[name] for name in ('href', 'src') if found.get(name)]
        if tag == 'img' and not found.get('alt', '').strip() and 'twemoji' not in found.get('class', ''):
            self.without_alt.append(found.get('src', '')[:80])


@functools.cache
def _page(path: Path) -> _Page:
    return _Page(path)


def problems(site: Path) -> list[str]:
    """Return one line for each broken link, each file from elsewhere and each picture without a text."""
    found = []
    for path in sorted(site.rglob('*.html')):
        page, name = _page(path), path.relative_to(site)
        found += [f'{name}: a picture without alt text: {source}' for source in page.without_alt]
        found += [f'{name}: loads {source} from elsewhere' for source in page.loaded if urlsplit(source).netloc]
        if name.name != '404.html':  # whose links start at the root of a server
            found += [f'{name}: {link}: {why}' for link in page.links if (why := _problem(path, link))]
    return found


def _problem(path: Path, link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    target = target / 'index.html' if target.is_dir() else target
    if not target.is_file():
        return 'the file does not exist'
    if target.suffix == '.html' and unquote(parts.fragment) not in _page(target).ids:
        return 'the anchor does not exist'
    return None


def main(site: Path) -> int:
    """Print the problems and return the exit status."""
    found = problems(site)
    pages = len(list(site.rglob('*.html')))
    print('\n'.join([*found, f'{site}: {pages} pages, {len(found)} problems']))
    return int(bool(found) or not pages)


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))

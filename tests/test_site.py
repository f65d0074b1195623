"""The documentation site: links, pictures and docstrings; `make docs` builds it."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / 'tools/dev/site'
OUTSIDE = ('README.md', 'configs/README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md')
PAGES = [*OUTSIDE, *sorted(str(page.relative_to(ROOT)) for page in (ROOT / 'docs').glob('*.md'))]
yaml = pytest.importorskip('yaml')


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    names = ('links', 'api', 'check', 'docstrings', 'notebook')
    yield lambda name: importlib.import_module(name)
    for name in names:
        sys.modules.pop(name, None)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub and MkDocs write them."""
    headings = re.findall(r'^#+ (.*)$', re.sub(r'^```.*?^```', '', page.read_text(), flags=re.M | re.S), re.M)
    texts = (re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', heading).lower() for heading in headings)
    return {re.sub(r'[^\w\- ]', '', text).strip().replace(' ', '-') for text in texts}


@pytest.mark.parametrize('page', PAGES)
def test_links_of_a_page_work_in_the_repository(page, tool):
    for path, anchor in tool('links').targets((ROOT / page).read_text(), page):
        assert (ROOT / path).exists(), path
        assert not anchor or anchor[1:] in anchors(ROOT / path), path + anchor


def test_links_to_pages_and_to_other_files_are_moved_with_their_page(tool):
    links = tool('links')
    text = '[a](docs/resume.md#files) [b](configs/README.md) [`c`](configs/methods) [d](https://x.y) [e](#here)'
    assert links.for_site(text, 'README.md') == (
        '[a](resume.md#files) [b](configs.md) [`c`](source/configs/methods/index.md) [d](https://x.y) [e](#here)'
    )
    assert links.for_site('[r](../README.md)\n```\n[r](../README.md)\n```\n', 'docs/resume.md') == (
        '[r](index.md)\n```\n[r](../README.md)\n```\n'
    )


@pytest.mark.parametrize('page', PAGES)
def test_every_picture_has_a_text(page):
    assert all(text.strip() for text in re.findall(r'!\[([^]]*)\]', (ROOT / page).read_text()))


def test_the_navigation_leads_to_every_page():
    config = yaml.safe_load(re.sub(r'!!python\S*', '', (ROOT / 'mkdocs.yml').read_text()))
    entries = [entry for section in config['nav'] for entry in next(iter(section.values()))]
    named = {str(next(iter(entry.values())) if isinstance(entry, dict) else entry).split('#')[0] for entry in entries}
    pages = {page.name for page in (ROOT / 'docs').glob('*.md')}
    assert pages <= named


def test_docstrings_become_markdown(tool):
    pytest.importorskip('griffe')
    as_markdown = tool('docstrings').as_markdown
    assert as_markdown('see :func:`~a.b.c` and :math:`x_1`') == (
        'see <autoref optional identifier="a.b.c"><code>c</code></autoref> and \\(x_1\\)'
    )
    assert '\\[a = b + c\\]' in as_markdown('Text\n\n.. math::\n    a = b\n    + c\n\nmore\n')
    assert '\\[a\\]' in as_markdown('Text\n\n.. math:: a\n')
    table = '=====  ====\nmode   role\n=====  ====\n``a``  one\n``b``  two\n=====  ====\n'
    assert as_markdown(table) == '| mode | role |\n| --- | --- |\n| ``a`` | one |\n| ``b`` | two |\n'


def test_a_site_with_broken_links_and_pictures_without_texts_is_refused(tool, tmp_path):
    check = tool('check')
    (tmp_path / 'a.html').write_text(
        '<h1 id="top">A</h1><a href="b.html#there">x</a><a href="#top">y</a><img src="p.png" alt="p">'
    )
    (tmp_path / 'b.html').write_text('<p id="there"></p>')
    (tmp_path / 'p.png').touch()
    assert check.problems(tmp_path) == []
    (tmp_path / 'c.html').write_text(
        '<a href="a.html#no"></a><a href="none.html"></a><img src="p.png"><script src="https://else.where/x.js"></script>'
    )
    assert len(check.problems(tmp_path)) == 4

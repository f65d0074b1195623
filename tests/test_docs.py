"""The documentation matches the files, and its snippets run."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as MMRAZOR_MODELS

from eakd_det.arguments import argument_names
from eakd_det.building import build_model
from eakd_det.cli.composition import config_files
from eakd_det.distillation import ProposalDistill
from tests.test_configs import catalogue

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'configs/README.md', *sorted((ROOT / 'docs').glob('*.md'))]
CONFIG = re.compile(r'\bconfigs/[\w/.-]+?\.py\b(?:\+[\w/-]+(?:\.py\b)?)?')
WITH_SNIPPETS = ('README', *(f'docs/{page}' for page in ('feature_losses', 'mmrazor', 'detectors', 'classification')))


def test_every_arm_has_a_row_in_the_table_of_methods_and_every_config_there_exists():
    rows = [line.split(' | ') for line in (ROOT / 'docs/methods.md').read_text().splitlines() if line.startswith('| ')]
    configs = [row[3] for row in rows if len(row) == 5 and row[3] != 'config' and row[3] != '---']
    named = [name for cell in configs for name in re.findall(r'`([\w-]+)`', cell)]
    methods = catalogue.METHODS + catalogue.PUBLISHED + catalogue.DEMO_ONLY + catalogue.DENSE_ONLY
    methods += catalogue.RELATIVES + catalogue.OTHER_STUDENT
    assert sorted(named) == sorted(methods)
    on_coco = {name for cell in configs if 'COCO' in cell for name in re.findall(r'`([\w-]+)`', cell)}
    assert on_coco == set(catalogue.METHODS + catalogue.PUBLISHED)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_config_that_a_page_names_exists(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = page.read_text().partition('<!-- table: families -->')[0]  # which quotes MMDetection's own paths
    named = {name for name in CONFIG.findall(text) if 'my_data' not in name}
    absent = [
        str(path)
        for name in named
        for path in config_files(name)[: 1 if name.endswith('.py') and '+' in name else None]  # a method of one's own
        if not path.is_file()
    ]
    assert not absent


def test_the_pages_name_configs():
    named = [name for page in PAGES for name in CONFIG.findall(page.read_text())]
    assert {'configs/pairs/r101-r18_coco.py+ea-kd', 'configs/studies/demo.py'} <= set(named)


def test_the_ten_files_to_read_first_are_under_1500_lines():
    page = (ROOT / 'docs/architecture.md').read_text()
    files = re.findall(r'^\| \d+ \| `([\w/.]+)` \|', page, re.MULTILINE)
    assert len(files) == 10
    assert sum(len((ROOT / 'eakd_det' / file).read_text().splitlines()) for file in files) < 1500


def test_every_file_named_in_the_architecture_exists():
    page = (ROOT / 'docs/architecture.md').read_text()
    for name in re.findall(r'`((?:\w+/)+\w+\.py)`', page):
        assert (ROOT / name).is_file() or (ROOT / 'eakd_det' / name).is_file(), name


def snippets() -> list[Any]:
    found = []
    for page in WITH_SNIPPETS:
        for number, code in enumerate(re.findall(r'```python\n(.*?)```', (ROOT / f'{page}.md').read_text(), re.S)):
            found.append(pytest.param(code, id=f'{Path(page).stem}-{number}'))
    return found


def _check(name: str, value: Any) -> None:
    """Build what a snippet assigns to the name of a config key."""
    if name == 'distill_losses':
        for cfg in value.values():
            build_model(cfg, scope='mmrazor')
    elif name == 'distiller':
        with DefaultScope.overwrite_default_scope('mmrazor'):
            MMRAZOR_MODELS.build(value)
    elif name == 'model':
        assert set(value) - {'type'} <= set(argument_names(ProposalDistill) or ())
        if 'distiller' in value:
            _check('distiller', value['distiller'])
    elif name == 'loss':
        value.backward()


@pytest.mark.parametrize('code', snippets())
def test_snippet_runs(code):
    space = dict(
        images_per_gpu=2,
        cross_entropy=torch.nn.functional.cross_entropy,
        logits=torch.randn(900, 10, requires_grad=True),
        teacher_logits=torch.randn(900, 10),
        labels=torch.randint(10, (900,)),
    )
    for statement in ast.parse(code).body:
        exec(compile(ast.Module([statement], []), 'snippet', 'exec'), space)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            _check(statement.targets[0].id, space[statement.targets[0].id])

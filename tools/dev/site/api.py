"""Pages of the API: the public names of each room, from its ``__init__.py``."""

from __future__ import annotations

import ast

from links import ROOT

MODULES = (
    'eakd_det.functional',
    'eakd_det.weighting',
    'eakd_det.losses',
    'eakd_det.distillation',
    'eakd_det.mm.entropy_weighted',
    'eakd_det.sites',
    'eakd_det.teachers',
    'eakd_det.models',
    'eakd_det.checkpoint',
    'eakd_det.zoo',
    'eakd_det.resume',
    'eakd_det.hooks',
    'eakd_det.evaluation',
    'eakd_det.datasets',
    'eakd_det.lab.experiment',
    'eakd_det.lab.analysis',
    'eakd_det.lab.scenes',
    'eakd_det.errors',
    'eakd_det.paths',
)


def page(module: str) -> str:
    """Return the Markdown of a module's page, for mkdocstrings."""
    path = ROOT / module.replace('.', '/')
    # A function with the name of its file is found under both names; the module would be shown otherwise.
    full = [f'{name}.{name}' if (path / f'{name}.py').is_file() else name for name in public_names(module)]
    names = ''.join(f'::: {module}.{name}\n\n' for name in full)
    return f'# {module}\n\n::: {module}\n    options:\n      members: false\n      show_root_heading: false\n\n{names}'


def public_names(module: str) -> list[str]:
    """Return the names in ``__all__``; without it, the public classes and functions that the module defines."""
    path = ROOT / module.replace('.', '/')
    tree = ast.parse((path / '__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__all__':
            return sorted(ast.literal_eval(node.value), key=str.lower)
    defined = [node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    return [name for name in defined if not name.startswith('_')]

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import DefaultScope

from eakd_det.building import build_model
from eakd_det.mm.ops.finder import uses_python_ops
from eakd_det.registry import DATASETS, HOOKS, MODELS
from eakd_det.weighting import EntropyWeighting, UniformWeighting

ROOT = Path(__file__).resolve().parents[1]
PUBLIC_MODELS = (
    'ProposalDistill',
    'ProposalDistiller',
    'KDLoss',
    'DKDLoss',
    'UniformWeighting',
    'EntropyWeighting',
    'MeanMatchedWeighting',
)


# MMRazor's registries import MMRazor when they are asked for anything, which on torch >= 2 works after eakd_det only.
@pytest.mark.parametrize('host', ['mmengine', 'mmdet'])
def test_names_build_from_any_registry_without_custom_imports(host):
    if host == 'mmdet' and uses_python_ops():
        pytest.skip('MMDetection cannot be imported with mmcv-lite until eakd_det is')
    code = f"""
import json, sys
from {host}.registry import HOOKS, MODELS
assert 'eakd_det' not in sys.modules
loss = MODELS.build(dict(type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting', tau=2.0)))
names = {PUBLIC_MODELS!r}
print(json.dumps(dict(
    loss=type(loss).__module__,
    weighting=type(loss.weighting).__name__,
    missing=[name for name in names if MODELS.get(f'eakd_det.{{name}}') is None],
    hook=HOOKS.get('eakd_det.CocoEvalHook').__module__.split('.')[:2],
)))
"""
    result = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, cwd=ROOT)

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {
        'loss': 'eakd_det.losses.kd',
        'weighting': 'EntropyWeighting',
        'missing': [],
        'hook': ['eakd_det', 'evaluation'],
    }


def test_names_build_from_mmrazors_registry():
    mmrazor_models = importlib.import_module('mmrazor.registry').MODELS

    built = mmrazor_models.build(dict(type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting')))

    assert isinstance(built.weighting, EntropyWeighting)


@pytest.mark.parametrize('name', ['EntropyWeighting', 'eakd_det.EntropyWeighting'])
def test_build_model_knows_bare_names_in_another_default_scope(name):
    with DefaultScope.overwrite_default_scope('mmdet'):
        built = build_model(dict(type=name, tau=2.0))
        assert DefaultScope.get_current_instance().scope_name == 'mmdet'

    assert isinstance(built, EntropyWeighting)


def test_build_model_still_finds_other_packages():
    built = build_model(dict(type='mmdet.L1Loss'))

    assert type(built).__module__.startswith('mmdet')


def test_build_model_returns_what_is_built():
    built = UniformWeighting()

    assert build_model(built) is built


@pytest.mark.parametrize(('registry', 'parent'), [(MODELS, 'model'), (HOOKS, 'hook'), (DATASETS, 'dataset')])
def test_registries_are_children_of_mmengines(registry, parent):
    assert registry.scope == 'eakd_det'
    assert registry.parent.scope == 'mmengine'
    assert registry.parent.name == parent


def test_an_unknown_name_is_named():
    with pytest.raises(KeyError, match='NoSuchLoss'):
        MMENGINE_MODELS.build(dict(type='eakd_det.NoSuchLoss'))

from __future__ import annotations

import doctest
import importlib
import types

import mmcv
import pytest
import torch
from torch.torch_version import TorchVersion

from eakd_det.mm import versions
from eakd_det.mm.ops.finder import uses_python_ops
from tests.processes import run_python


def test_examples():
    assert doctest.testmod(versions).failed == 0


def test_import_makes_mmrazor_usable_and_leaves_torch_and_mmcv_alone():
    facts = run_python("""
        import json, sys, mmcv, torch
        before, mmcv_before = torch.__version__, mmcv.__version__
        import eakd_det
        from mmrazor.registry import MODELS, TASK_UTILS
        names = ['SingleTeacherDistill', 'ConfigurableDistiller', 'PKDLoss', 'ChannelWiseDivergence', 'FBKDLoss']
        recorders = ['ModuleOutputs', 'ModuleInputs', 'MethodOutputs', 'FunctionOutputs', 'Parameter']
        recorders = [f'{name}Recorder' for name in recorders]
        built = TASK_UTILS.build(dict(type='ModuleOutputsRecorder', source='conv'))
        print(json.dumps(dict(
            same_object=torch.__version__ is before and mmcv.__version__ is mmcv_before,
            kind=type(torch.__version__).__name__,
            missing=[n for n in names if MODELS.get(n) is None] + [n for n in recorders if TASK_UTILS.get(n) is None],
            built=type(built).__name__,
            holding_it=[n for n, m in list(sys.modules.items())
                        if any(isinstance(v, str) and v == '1.12.1' for k, v in vars(m).items())
                        and n != 'eakd_det.mm.versions'],
        )))
    """)

    assert facts == {
        'same_object': True,
        'kind': 'TorchVersion',
        'missing': [],
        'built': 'ModuleOutputsRecorder',
        'holding_it': [],
    }


FIRST = {
    'eakd_det': '',
    'mmengine': 'import mmengine.config, mmengine.hub, mmengine.runner',
    'mmdet': 'import mmdet.models',
    'mmrazor': 'import mmrazor.registry',
    'mmrazor that failed': """
try:
    import mmrazor.models
    raise SystemExit('MMRazor imports by itself: the workaround can go')
except (AssertionError, AttributeError, ImportError):
    pass
""",
}


@pytest.mark.skipif(TorchVersion(torch.__version__) < '2.0', reason='MMRazor imports by itself there')
@pytest.mark.parametrize(
    'first', [pytest.param(n, marks=() if n in ('mmdet', 'mmrazor that failed') else pytest.mark.slow) for n in FIRST]
)
def test_whatever_is_imported_first_works(first):
    if first == 'mmrazor' and TorchVersion(mmcv.__version__) > '2.1.0':
        pytest.skip('MMRazor refuses this mmcv until eakd_det is imported')
    if first == 'mmdet' and uses_python_ops():
        pytest.skip('MMDetection cannot be imported with mmcv-lite until eakd_det is')
    facts = run_python(
        FIRST[first]
        + """
import json, sys
sys.modules['pkg_resources'] = None  # as with setuptools >= 81
import eakd_det
from mmrazor.models import ConfigurableDistiller, SingleTeacherDistill
import mmengine.config, mmengine.hub
from mmengine.utils import get_installed_path, is_installed
from mmengine.registry import MODELS
import torch
from mmengine.logging import HistoryBuffer
print(json.dumps(dict(
    config=mmengine.config.Config.fromfile('tests/data/mmdet_base.py').model.type,
    installed=[is_installed('mmdet'), is_installed('no_such_package')],
    loss=type(MODELS.build(dict(type='eakd_det.KDLoss'))).__name__,
    allowed=HistoryBuffer in torch.serialization.get_safe_globals(),
)))
"""
    )

    assert facts == {'config': 'FasterRCNN', 'installed': [True, False], 'loss': 'KDLoss', 'allowed': True}


def test_a_broken_package_is_named_and_a_second_attempt_works():
    facts = run_python("""
        import json, sys, torch
        sys.modules['joblib'] = None
        before = torch.__version__
        import eakd_det
        try:
            import mmrazor
            message = ''
        except ImportError as error:
            message = str(error)
        restored = torch.__version__ is before
        broken = [n for n, m in sys.modules.items() if n.startswith('mmrazor') and m.__spec__._initializing]
        del sys.modules['joblib']
        from mmrazor.models import ConfigurableDistiller
        print(json.dumps(dict(message=message, restored=restored, broken=broken)))
    """)

    assert 'mmrazor' in facts['message']
    assert 'joblib' in facts['message']
    assert 'pip install' in facts['message']
    assert facts['restored']
    assert facts['broken'] == []


def test_version_is_restored_when_the_block_raises():
    before = torch.__version__

    def fail() -> None:
        with versions.version_reads(torch, '1.12.1'):
            raise RuntimeError(torch.__version__)

    with pytest.raises(RuntimeError, match=r'1\.12\.1'):
        fail()
    assert torch.__version__ is before


@pytest.mark.parametrize(('version', 'seen'), [('1.13.1', '1.13.1'), ('2.1.0+cu118', '1.12.1')])
def test_torch_version_is_hidden_only_where_mmrazor_needs_it(monkeypatch, version, seen):
    seen_by = {}
    fake_torch, mmcv = types.SimpleNamespace(__version__=version), types.SimpleNamespace(__version__='2.1.0')

    def import_module(name):
        seen_by.setdefault(name, fake_torch.__version__)
        return dict(torch=fake_torch, mmcv=mmcv).get(name)

    monkeypatch.setattr(importlib, 'import_module', import_module)
    with versions.mmrazor_on_any_torch():
        pass

    assert seen_by['mmdet.models'] == version
    assert seen_by['mmrazor.models'] == seen_by['mmrazor.engine'] == seen
    assert fake_torch.__version__ == version


@pytest.mark.parametrize(('version', 'seen'), [('2.0.1', '2.0.1'), ('2.1.0', '2.1.0'), ('2.3.6', '2.1.0')])
def test_mmcv_reads_as_accepted_only_if_it_is_newer(monkeypatch, version, seen):
    mmcv = types.SimpleNamespace(__version__=version)
    monkeypatch.setattr(importlib, 'import_module', lambda name: mmcv)

    with versions.accepted_mmcv():
        assert mmcv.__version__ == seen
    assert mmcv.__version__ == version

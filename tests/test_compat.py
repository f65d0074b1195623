from __future__ import annotations

import importlib
import json
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.torch_version import TorchVersion

from eakd_det import compat

ROOT = Path(__file__).resolve().parents[1]


def run_python(code: str) -> Any:
    """Run ``code`` in a fresh interpreter and return the JSON that its last line prints."""
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(code)], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_import_makes_mmrazor_usable_and_leaves_torch_alone():
    facts = run_python("""
        import json, sys, torch
        before = torch.__version__
        import eakd_det
        from mmrazor.registry import MODELS, TASK_UTILS
        names = ['SingleTeacherDistill', 'ConfigurableDistiller', 'PKDLoss', 'ChannelWiseDivergence', 'FBKDLoss']
        recorders = ['ModuleOutputs', 'ModuleInputs', 'MethodOutputs', 'FunctionOutputs', 'Parameter']
        recorders = [f'{name}Recorder' for name in recorders]
        built = TASK_UTILS.build(dict(type='ModuleOutputsRecorder', source='conv'))
        modules = dict(sys.modules)
        eakd_det.compat.import_mmrazor()
        print(json.dumps(dict(
            same_object=torch.__version__ is before,
            kind=type(torch.__version__).__name__,
            missing=[n for n in names if MODELS.get(n) is None] + [n for n in recorders if TASK_UTILS.get(n) is None],
            built=type(built).__name__,
            imported_again=[n for n, m in modules.items() if sys.modules.get(n) is not m],
            holding_it=[n for n, m in list(sys.modules.items())
                        if any(isinstance(v, str) and v == '1.12.1' for k, v in vars(m).items())
                        and n != 'eakd_det.compat'],
        )))
    """)

    assert facts == {
        'same_object': True,
        'kind': 'TorchVersion',
        'missing': [],
        'built': 'ModuleOutputsRecorder',
        'imported_again': [],
        'holding_it': [],
    }


def test_a_missing_package_is_named_and_a_second_attempt_works():
    facts = run_python("""
        import json, sys, torch
        class Block:
            def find_spec(self, name, path=None, target=None):
                if name.split('.')[0] == 'joblib':
                    raise ModuleNotFoundError("No module named 'joblib'", name='joblib')
        sys.modules.pop('joblib', None)
        block = Block()
        sys.meta_path.insert(0, block)
        before = torch.__version__
        try:
            import eakd_det
            message = ''
        except ImportError as error:
            message = str(error)
        restored = torch.__version__ is before
        broken = [n for n, m in sys.modules.items() if n.startswith('mmrazor') and m.__spec__._initializing]
        sys.meta_path.remove(block)
        import eakd_det
        from mmrazor.models import ConfigurableDistiller
        print(json.dumps(dict(message=message, restored=restored, broken=broken)))
    """)

    assert "No module named 'joblib'" in facts['message']
    assert 'pip install' in facts['message']
    assert facts['restored']
    assert facts['broken'] == []


@pytest.mark.skipif(TorchVersion(torch.__version__) < '2.0', reason='MMRazor imports by itself there')
def test_import_after_mmrazor_failed_on_its_own():
    facts = run_python("""
        import json, torch
        try:
            import mmrazor.models
            alone = 'works'
        except ImportError:
            alone = 'fails'
        import eakd_det
        from mmrazor.models import ConfigurableDistiller, SingleTeacherDistill
        print(json.dumps(alone))
    """)

    # If this says 'works' one day, the workaround can go.
    assert facts == 'fails'


def test_version_is_restored_when_the_block_raises():
    before = torch.__version__

    def fail() -> None:
        with compat.torch_version_reads('1.12.1'):
            raise RuntimeError(torch.__version__)

    with pytest.raises(RuntimeError, match=r'1\.12\.1'):
        fail()
    assert torch.__version__ is before


@pytest.mark.parametrize(('version', 'seen'), [('1.13.1', '1.13.1'), ('2.1.0+cu118', '1.12.1')])
def test_version_is_hidden_only_where_mmrazor_needs_it(monkeypatch, version, seen):
    seen_by = {}
    monkeypatch.setattr(torch, '__version__', version)
    monkeypatch.setattr(importlib, 'import_module', lambda name: seen_by.setdefault(name, torch.__version__))

    compat.import_mmrazor()

    assert seen_by['mmdet.models'] == version
    assert seen_by['mmrazor.models'] == seen_by['mmrazor.engine'] == seen
    assert torch.__version__ == version


def test_checkpoint_types_of_mmengine_load_with_the_safety_on(tmp_path):
    history = HistoryBuffer([0.5, 0.25], [1, 1])
    saved = {
        'history': history,
        'scalars': [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)],
        'array': np.arange(3),
    }
    torch.save(saved, tmp_path / 'checkpoint.pth')

    loaded = torch.load(tmp_path / 'checkpoint.pth', weights_only=True)

    assert loaded['history'].data[0].tolist() == [0.5, 0.25]
    assert loaded['scalars'] == saved['scalars']
    assert loaded['array'].tolist() == [0, 1, 2]


class Runs:
    """What a hostile checkpoint would hold: unpickling it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_hostile_checkpoint_is_refused(tmp_path):
    torch.save({'state_dict': Runs(f'touch {tmp_path / "ran"}')}, tmp_path / 'hostile.pth')

    with pytest.raises(pickle.UnpicklingError, match='system'):
        torch.load(tmp_path / 'hostile.pth', weights_only=True)
    assert not (tmp_path / 'ran').exists()


class AsksFor:
    """Unpickling it reads an attribute, from which a patient attacker gets to everything."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name

    def __reduce__(self):
        return getattr, (self.owner, self.name)


@pytest.mark.parametrize(('owner', 'name'), [(HistoryBuffer, '__init__'), (torch.Tensor, 'mean')])
def test_only_the_statistics_of_a_history_are_given_out(tmp_path, owner, name):
    torch.save(AsksFor(owner, name), tmp_path / 'hostile.pth')

    with pytest.raises(pickle.UnpicklingError, match=name):
        torch.load(tmp_path / 'hostile.pth', weights_only=True)


class OneWeight(BaseModel):
    """The smallest model that MMEngine's runner trains."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs=None, mode='tensor'):
        return {'loss': (self.weight * 2).sum()}


def toy_runner(work_dir: Path, epochs: int, **kwargs: Any) -> Runner:
    return Runner(
        model=OneWeight(),
        work_dir=str(work_dir),
        train_dataloader=torch.utils.data.DataLoader([{'inputs': torch.ones(1)}] * 4),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1), checkpoint=dict(type='CheckpointHook')),
        log_level='ERROR',
        **kwargs,
    )


def test_mmengine_resumes_from_its_own_checkpoint(tmp_path):
    toy_runner(tmp_path, 1, experiment_name='first').train()

    resumed = toy_runner(tmp_path, 2, experiment_name='second', resume=True)
    resumed.train()

    assert resumed.iter == 8
    checkpoint = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert isinstance(checkpoint['message_hub']['log_scalars']['train/loss'], HistoryBuffer)
    assert len(checkpoint['message_hub']['log_scalars']['train/loss'].data[0]) == 8

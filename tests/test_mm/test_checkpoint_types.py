from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner

import eakd_det  # noqa: F401  (what is tested happens when it is imported)
from eakd_det.errors import ConfigError


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
    # OneDL's MMEngine would unpickle it then; the tools' own loader says the same in a line.
    with pytest.raises((pickle.UnpicklingError, ConfigError), match='system'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'hostile.pth'))
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

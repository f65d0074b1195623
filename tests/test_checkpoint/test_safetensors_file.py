"""Checkpoints as safetensors."""

from __future__ import annotations

import pytest
import torch

from eakd_det.checkpoint import UnreadableCheckpointError, checkpoint_classes, load_checkpoint_file
from eakd_det.checkpoint.safetensors_file import write_safetensors
from eakd_det.errors import ConfigError

library = pytest.importorskip('safetensors.torch')
META = {'dataset_meta': {'classes': ['cat', 'dog']}}


@pytest.fixture
def state():
    torch.manual_seed(0)
    weight = torch.randn(4, 3, 3, 3)
    weight[1] *= 1e-4  # a scale for all channels would round it to zero
    weight[2] = 0
    return {'conv.weight': weight, 'bn.running_var': torch.rand(4) * 1e6, 'bn.num_batches_tracked': torch.tensor(7)}


@pytest.mark.parametrize(('precision', 'tolerance'), [('float32', 0.0), ('float16', 2**-11), ('int8', 0.5 / 127)])
def test_weights_keep_their_precision(tmp_path, state, precision, tolerance):
    write_safetensors(tmp_path / 'm.safetensors', state, META, precision)
    content = load_checkpoint_file(tmp_path / 'm.safetensors')

    assert checkpoint_classes(content) == ('cat', 'dog')
    read = content['state_dict']
    assert list(read) == sorted(state)
    assert torch.equal(read['bn.running_var'], state['bn.running_var'])
    assert torch.equal(read['bn.num_batches_tracked'], state['bn.num_batches_tracked'])
    largest = state['conv.weight'].abs().amax(dim=(1, 2, 3), keepdim=True)
    error = (read['conv.weight'] - state['conv.weight']).abs()
    assert read['conv.weight'].dtype == torch.float32
    assert (error <= tolerance * largest * 1.001).all()


def test_files_of_others_are_read(tmp_path):
    library.save_file({'fc.weight': torch.ones(2, 2, dtype=torch.bfloat16)}, str(tmp_path / 'other.safetensors'))
    content = load_checkpoint_file(tmp_path / 'other.safetensors')
    assert torch.equal(content['state_dict']['fc.weight'], torch.ones(2, 2))
    assert checkpoint_classes(content) is None


def test_a_broken_file_is_one_line(tmp_path, state):
    path = tmp_path / 'm.safetensors'
    write_safetensors(path, state, META)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableCheckpointError, match=r'm\.safetensors is truncated or not a checkpoint'):
        load_checkpoint_file(path)


def test_the_missing_library_is_named(tmp_path, state, monkeypatch):
    write_safetensors(tmp_path / 'm.safetensors', state, META)
    monkeypatch.setitem(__import__('sys').modules, 'safetensors.torch', None)
    with pytest.raises(ConfigError, match='pip install safetensors'):
        load_checkpoint_file(tmp_path / 'm.safetensors')

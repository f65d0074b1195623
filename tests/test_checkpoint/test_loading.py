from __future__ import annotations

import functools
import os
import pickle
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn

from eakd_det.checkpoint import (
    checkpoint_classes,
    load_checkpoint_file,
    load_detector_weights,
    loading,
    old_torch,
)
from eakd_det.errors import ConfigError
from tests import tiny


@functools.cache
def source_state() -> dict[str, Tensor]:
    return dict(tiny.build(tiny.faster_rcnn(), seed=1).state_dict())


@functools.cache
def detector_cache(num_classes: int) -> nn.Module:
    return tiny.build(tiny.faster_rcnn(num_classes=num_classes), seed=2)


@pytest.fixture
def detector() -> nn.Module:
    """A detector with weights other than those of :func:`source_state`."""
    return tiny.build(tiny.faster_rcnn(), seed=2)


def save(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def same_weights(model: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


WRAPPINGS = {
    'plain': lambda state: dict(state_dict=state, meta=dict(dataset_meta=dict(classes=('a', 'b', 'c')))),
    'mmdet 2': lambda state: dict(state_dict=state, meta=dict(CLASSES=('a', 'b', 'c'), mmdet_version='2.28.0')),
    'bare': lambda state: OrderedDict(state),
    'data parallel': lambda state: dict(state_dict={f'module.{name}': t for name, t in state.items()}),
    'mmrazor': lambda state: dict(
        state_dict={
            **{f'architecture.{name}': t for name, t in state.items()},
            **{f'teacher.{name}': torch.zeros_like(t) for name, t in state.items()},
            'distiller.connectors.conv.weight': torch.ones(1),
        }
    ),
    'data-parallel mmrazor': lambda state: dict(
        state_dict={f'module.architecture.{name}': t for name, t in state.items()}
    ),
    'without counters': lambda state: {n: t for n, t in state.items() if not n.endswith('num_batches_tracked')},
}


@pytest.mark.parametrize('wrapping', WRAPPINGS)
def test_accepted_checkpoints(tmp_path: Path, detector: nn.Module, wrapping: str) -> None:
    state = source_state()
    path = save(tmp_path / 'c.pth', WRAPPINGS[wrapping](state))

    report = load_detector_weights(detector, path, 'model.teacher_ckpt')

    assert report.is_complete
    assert len(report.matched) >= len(state) - 20  # 20 BatchNorm counters
    names = [name for name in state if not name.endswith('num_batches_tracked')]
    loaded = detector.state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in names)


def test_what_mmengine_saves_during_training_can_be_read(tmp_path: Path) -> None:
    """Its message hub holds a HistoryBuffer and numpy scalars, which torch >= 2.6 refuses by default."""
    import numpy as np
    from mmengine.logging import HistoryBuffer

    hub = dict(log_scalars={'loss': HistoryBuffer([1.0, 2.0], [1, 1])}, runtime_info=dict(best=np.float64(0.3)))
    content = load_checkpoint_file(save(tmp_path / 'c.pth', dict(state_dict=source_state(), message_hub=hub)))
    assert content['message_hub']['log_scalars']['loss'].mean() == 1.5


class Calls:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Any, arguments: tuple) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    target = tmp_path / 'ran'
    path = save(tmp_path / 'c.pth', dict(state_dict=source_state(), meta=Calls(os.mkdir, (str(target),))))

    with pytest.raises(
        ConfigError, match=r'model.teacher_ckpt: .*c\.pth holds objects that could run code.*mkdir'
    ) as e:
        load_checkpoint_file(path, 'model.teacher_ckpt')
    assert not target.exists()
    assert '\n' not in str(e.value)

    torch.load(path, weights_only=False)  # shows that the file is armed
    assert target.exists()


@pytest.mark.parametrize('legacy', [False, True])
def test_the_classes_of_a_saved_model_are_all_named(tmp_path: Path, legacy: bool) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).half()
    torch.save(dict(model=model), tmp_path / 'c.pth', _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ConfigError, match='holds objects that could run code') as caught:
        load_checkpoint_file(tmp_path / 'c.pth', 'key')
    named = re.findall(r'[\w.]+', str(caught.value).rpartition('(')[2])
    assert {name.rpartition('.')[2] for name in named} == {'Sequential', 'Linear', 'ReLU'}


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b'')


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def _head_only(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:64])


def _html(path: Path) -> None:
    path.write_bytes(b'<!DOCTYPE html><html>404 not found</html>')


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_list(path: Path) -> None:
    torch.save([torch.ones(2)], path)


def _no_weights(path: Path) -> None:
    torch.save(dict(epoch=3, args='x'), path)


def _plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(dict(state_dict=Calls(os.mkdir, ('nowhere',)))))


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (_missing, 'does not exist'),
        (_empty, 'is empty'),
        (_truncated, 'is truncated or not a checkpoint'),
        (_head_only, 'is truncated or not a checkpoint'),
        (_html, 'is truncated or not a checkpoint'),
        (_folder, 'is a folder'),
        (_a_list, 'expected a checkpoint with a state_dict, but .* holds a list'),
        (_no_weights, r'holds no weights \(epoch, args\)'),
        (_plain_pickle, 'c.pth'),
    ],
)
def test_an_unreadable_file_is_one_line(tmp_path: Path, detector: nn.Module, spoil: Any, message: str) -> None:
    path = save(tmp_path / 'c.pth', dict(state_dict=source_state()))
    spoil(path)

    with pytest.raises(ConfigError, match=message) as caught:
        load_detector_weights(detector, path, 'model.teacher_ckpt')
    assert str(caught.value).startswith('model.teacher_ckpt: ')
    assert 'c.pth' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_relative_path_says_from_where_it_is_seen(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r'no\.pth does not exist \(relative to /.*\)'):
        load_checkpoint_file('no.pth', 'key')


def single_stage_state() -> dict[str, Tensor]:
    cfg = Config.fromfile(f'{tiny._mmdet_configs()}/_base_/models/retinanet_r50_fpn.py').model
    cfg.backbone.init_cfg = None
    return dict(tiny.build(cfg).state_dict())


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: detector_cache(5).state_dict(), r'4 of another shape.*another number of classes\?'),
        (
            lambda: tiny.build(
                {**tiny.faster_rcnn(), 'neck': dict(tiny.faster_rcnn().neck, num_outs=5, start_level=1)}
            ).state_dict(),
            'is it of another architecture',
        ),
        (single_stage_state, 'RetinaNet|missing'),
        (lambda: {'layer.weight': torch.ones(2)}, r'nothing matches: is it a checkpoint of a detector\?'),
        (
            lambda: {n.removeprefix('backbone.'): t for n, t in source_state().items() if n.startswith('backbone.')},
            'nothing matches',
        ),
        (
            lambda: {**source_state(), 'mask_head.weight': torch.ones(1)},
            r'0 missing, 1 unexpected \(mask_head.weight\)',
        ),
    ],
    ids=['classes', 'neck', 'single stage', 'nothing', 'backbone only', 'extra head'],
)
def test_another_architecture_is_counted_and_leaves_the_model_as_it_was(
    tmp_path: Path, detector: nn.Module, make: Any, message: str
) -> None:
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}
    path = save(tmp_path / 'c.pth', dict(state_dict=make()))

    with pytest.raises(ConfigError, match=message) as caught:
        load_detector_weights(detector, path, 'model.teacher_ckpt')

    assert 'c.pth does not fit FasterRCNN: ' in str(caught.value)
    assert '\n' not in str(caught.value)
    assert same_weights(detector, before)


def test_not_strict_loads_what_fits(tmp_path: Path, detector: nn.Module) -> None:
    other = {**detector_cache(5).state_dict(), 'extra': torch.ones(1)}
    before = {name: tensor.clone() for name, tensor in detector.state_dict().items()}

    report = load_detector_weights(detector, dict(state_dict=other), strict=False)

    assert {name for name, _, _ in report.mismatched} == {
        f'roi_head.bbox_head.{layer}.{kind}' for layer in ('fc_cls', 'fc_reg') for kind in ('weight', 'bias')
    }
    assert report.unexpected == ('extra',)
    assert not report.is_complete
    after = detector.state_dict()
    assert torch.equal(after['backbone.conv1.weight'], other['backbone.conv1.weight'])
    assert torch.equal(after['roi_head.bbox_head.fc_cls.weight'], before['roi_head.bbox_head.fc_cls.weight'])


def test_weights_that_are_not_finite_are_refused(detector: nn.Module) -> None:
    state = dict(source_state())
    state['backbone.conv1.weight'] = torch.full_like(state['backbone.conv1.weight'], float('nan'))
    with pytest.raises(ConfigError, match=r'not finite, in 1 tensors \(backbone.conv1.weight\)'):
        load_detector_weights(detector, dict(state_dict=state), source='c.pth')


@pytest.mark.parametrize(
    ('checkpoint', 'classes'),
    [
        (dict(meta=dict(dataset_meta=dict(classes=['a', 'b']))), ('a', 'b')),
        (dict(meta=dict(dataset_meta=dict(CLASSES=('a', 'b')))), ('a', 'b')),
        (dict(meta=dict(CLASSES=('a', 'b'))), ('a', 'b')),
        (dict(meta=dict(CLASSES='cell')), ('cell',)),
        (dict(meta=dict(CLASSES=None)), None),
        (dict(meta=dict(dataset_meta=None)), None),
        (dict(state_dict={}), None),
        ({'backbone.weight': torch.ones(1)}, None),
    ],
)
def test_class_names_in_the_meta_data(checkpoint: dict, classes: tuple | None) -> None:
    assert checkpoint_classes(checkpoint) == classes


@pytest.fixture
def as_on_old_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """``weights_only=True`` refuses MMEngine's types, as it does on torch < 2.6, whatever the list says."""
    load = torch.load

    def load_as_then(path: Path, **kwargs: Any) -> Any:
        if kwargs['weights_only']:
            raise pickle.UnpicklingError('Unsupported class mmengine.logging.history_buffer.HistoryBuffer')
        return load(path, **kwargs)

    monkeypatch.setattr(torch, 'load', load_as_then)
    monkeypatch.setattr(loading, 'digit_version', lambda version: version == '2.6.0')


@pytest.mark.parametrize('legacy', [False, True])
def test_on_old_torch_a_training_checkpoint_is_read_and_nothing_else(
    tmp_path: Path, as_on_old_torch: None, legacy: bool
) -> None:
    import numpy as np
    from mmengine.logging import HistoryBuffer

    history = HistoryBuffer([1.0, 2.0], [1, 1])
    hub = dict(log_scalars={'loss': history}, runtime_info=dict(best=np.float64(0.3)))
    meta = dict(dataset_meta=dict(classes=('a',)), dtype=torch.float16, size=torch.Size([2]))
    content = dict(state_dict=OrderedDict(source_state()), message_hub=hub, meta=meta)
    torch.save(content, tmp_path / 'c.pth', _use_new_zipfile_serialization=not legacy)

    read = load_checkpoint_file(tmp_path / 'c.pth')

    assert all(torch.equal(tensor, read['state_dict'][name]) for name, tensor in source_state().items())
    assert read['message_hub']['log_scalars']['loss'].mean() == 1.5
    assert read['message_hub']['runtime_info']['best'] == 0.3
    assert read['meta'] == meta

    for call in ((os.mkdir, (str(tmp_path / 'ran'),)), (getattr, (dict, 'pop'))):
        path = tmp_path / 'armed.pth'
        torch.save(dict(state_dict=source_state(), meta=Calls(*call)), path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(
            ConfigError, match=r'key: .*armed\.pth holds objects that could run code.*(posix\.mkdir|__builtin__\.dict)'
        ):
            load_checkpoint_file(path, 'key')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    ('module', 'name'),
    [
        ('os', 'system'),
        ('builtins', 'eval'),
        ('torch', 'load'),
        ('torch', 'float32.__class__'),
        ('torch', 'hub'),
        ('torch.serialization', 'load'),
        ('numpy', 'load'),
        ('numpy.dtypes', 'sys'),
    ],
)
def test_names_that_old_torch_must_not_look_up(module: str, name: str) -> None:
    import io

    with pytest.raises(pickle.UnpicklingError, match='not allowed'):
        old_torch.Unpickler(io.BytesIO()).find_class(module, name)

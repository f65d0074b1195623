"""Dense pairs in training: resume to the bit, two processes as one, sums with losses of feature maps."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from tests import tiny
from tests.test_parallel.processes import run_in_two

KD = dict(type='eakd_det.KDLoss', reduction='objects', weighting=dict(type='eakd_det.EntropyWeighting', tau=1.0))
FGD = dict(type='eakd_det.FGDLoss', student_channels=32, teacher_channels=32, num_levels=5, relation_weight=1e-4)
LEVELS = {
    f'preds_{side[0]}': dict(recorder='neck_features', from_student=side == 'Student')
    for side in ('Student', 'Teacher')
}
STEPS = 4
three_heads = pytest.mark.parametrize('name', ['gfl', 'retinanet', 'rtmdet'])


def make(name, losses=None, **distiller):
    student, teacher = (tiny.build(tiny.dense(name), seed) for seed in (0, 1))
    return tiny.distill(student, teacher, losses or dict(loss_kd=KD), distiller=distiller).train()


def train(model, optimizer, steps):
    for index in steps:
        tiny.step(model, tiny.batch(seed=index), seed=index)
        optimizer.step()


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'losses'), [('gfl', None), ('retinanet', None), ('rtmdet', None), ('gfl', dict(loss_fgd=FGD, loss_kd=KD))]
)
def test_a_resumed_run_ends_with_the_same_weights_to_the_bit(name, losses, tmp_path):
    def start():
        model = make(name, copy.deepcopy(losses))
        return model, torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    whole, optimizer = start()
    train(whole, optimizer, range(STEPS))
    first, optimizer = start()
    train(first, optimizer, range(2))
    torch.save(dict(model=first.state_dict(), optimizer=optimizer.state_dict()), tmp_path / 'two.pth')

    resumed, optimizer = start()
    saved = torch.load(tmp_path / 'two.pth', weights_only=True)
    resumed.load_state_dict(saved['model'])
    optimizer.load_state_dict(saved['optimizer'])
    train(resumed, optimizer, range(2, STEPS))
    expected, start_values = whole.state_dict(), start()[0].state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in resumed.state_dict().items())
    assert any(not torch.equal(value, start_values[key]) for key, value in expected.items())


def frozen_norms(model: nn.Module) -> nn.Module:
    """Two processes have other statistics of a batch than one."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train = lambda mode=True, module=module: module  # type: ignore[method-assign]
            module.training = False
    return model


def with_surer_scores(detector: nn.Module) -> None:
    """All scores are near 1/2 instead of 1/100."""
    for key, parameter in detector.bbox_head.named_parameters():
        if key.split('.')[0] in ('gfl_cls', 'retina_cls', 'rtm_cls') and 'bias' in key:
            nn.init.zeros_(parameter)


def gradients(name: str, rank: int | None = None) -> dict[str, torch.Tensor]:
    """Return the gradients of one step of two images, or of the image of one process."""
    torch.set_num_threads(1)
    model = make(name)
    revert_sync_batchnorm(model.student)  # RTMDet's, which needs a GPU
    model = frozen_norms(model)
    with_surer_scores(model.teacher)  # so that the networks differ
    if name == 'gfl':  # MMDetection divides by the sum of the scores, but at least by 1 in each process
        with_surer_scores(model.student)
    data = tiny.batch(((64, 160), (64, 160)))  # GroupNorm needs two points on the coarsest map of one image
    if rank is not None:
        data = {key: value[rank : rank + 1] for key, value in data.items()}
    wrapped = model if rank is None else DistributedDataParallel(model, broadcast_buffers=False)
    data = model.data_preprocessor(copy.deepcopy(data), training=True)
    losses = wrapped(**data, mode='loss')
    if name != 'gfl':  # RetinaNet divides by the objects of each process, RTMDet by 1 at least: only ours is the same
        losses = {key: value if key.startswith('distill.') else _times(value, 0.0) for key, value in losses.items()}
    model.parse_losses(losses)[0].backward()
    found = {key: value.grad for key, value in model.named_parameters() if value.grad is not None}
    assert rank is None or distributed.get_world_size() == 2
    return found


def _times(value, factor):
    return [factor * item for item in value] if isinstance(value, list) else factor * value


@pytest.mark.slow
@three_heads
def test_two_processes_have_the_gradient_of_one(name: str, tmp_path: Path) -> None:
    first, second = run_in_two(partial(gradients, name), tmp_path)
    alone = gradients(name)
    assert first.keys() == second.keys() == alone.keys()
    for key, value in alone.items():
        assert torch.equal(first[key], second[key])
        torch.testing.assert_close(first[key], value, rtol=1e-4, atol=1e-5, msg=lambda text, key=key: f'{key}: {text}')
    assert max(value.abs().max() for value in alone.values()) > 0.01


MAPS = {
    'pkd': dict(type='mmrazor.PKDLoss', loss_weight=6.0),
    'cwd': dict(type='mmrazor.ChannelWiseDivergence', tau=1.0, loss_weight=5.0),
    'mgd': dict(type='mmrazor.MGDLoss', alpha_mgd=2e-5),
}


def of_level(level: int, student: bool, **connector: str) -> dict:
    return dict(recorder='neck_features', from_student=student, data_idx=level, **connector)


def maps(kind: str, levels: int, width: int) -> dict:
    """A loss of MMRazor on each level, beside EA-KD."""
    names = [f'loss_{kind}_{level}' for level in range(levels)]
    arguments = ('preds_S', 'preds_T')
    mappings, connectors = {}, {}
    for level, name in enumerate(names):
        connector = {}
        if kind == 'mgd':  # its student's maps are masked and generated again
            key = f'generate_{level}'
            connectors[key] = dict(type='MGDConnector', student_channels=width, teacher_channels=width)
            connector = dict(connector=key)
        sides = (of_level(level, True, **connector), of_level(level, False))
        mappings[name] = dict(zip(arguments, sides, strict=True))
    losses = {name: copy.deepcopy(MAPS[kind]) for name in names}
    if kind == 'pkd':  # which takes a tuple of levels
        losses, mappings = dict(loss_pkd=MAPS['pkd']), dict(loss_pkd=LEVELS)
    return dict(losses=dict(losses, loss_kd=copy.deepcopy(KD)), loss_forward_mappings=mappings, connectors=connectors)


@pytest.mark.parametrize(
    ('kind', 'name'),
    [
        ('pkd', 'gfl'),
        ('cwd', 'gfl'),
        ('mgd', 'gfl'),
        *(pytest.param(k, 'rtmdet', marks=pytest.mark.slow) for k in MAPS),
    ],
)
def test_losses_of_maps_and_ea_kd_add_up(kind, name):
    levels, width = 3, 32 if name == 'gfl' else 16  # CWD has nothing to compare on a map of one point
    both = make(name, **maps(kind, levels, width))
    values = tiny.step(both, tiny.batch())
    of_maps = {key: value for key, value in values.items() if f'distill.loss_{kind}' in key}
    assert len(of_maps) == (1 if kind == 'pkd' else levels)
    assert all(value > 0 for value in of_maps.values())
    assert all(parameter.grad is None for parameter in both.teacher.parameters())
    assert all(parameter.grad is not None for parameter in both.distiller.parameters())
    alone = tiny.step(make(name), tiny.batch())
    torch.testing.assert_close(values['distill.loss_kd'], alone['distill.loss_kd'])


@pytest.mark.parametrize(
    ('name', 'width', 'levels'),
    [
        ('gfl', 32, 5),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (('rtmdet', 16, 3), ('yolox', 16, 3), ('fcos', 32, 5))
        ),
    ],
)
def test_fgd_and_ea_kd_add_up(name, width, levels):
    fgd = dict(FGD, student_channels=width, teacher_channels=width, num_levels=levels)
    both = make(name, dict(loss_fgd=fgd, loss_kd=copy.deepcopy(KD)))
    values = tiny.step(both, tiny.batch())
    assert values['distill.loss_fgd'] > 0
    assert all(parameter.grad is None for parameter in both.teacher.parameters())
    assert all(parameter.grad is not None for parameter in both.distiller.parameters())
    alone = tiny.step(make(name), tiny.batch())
    torch.testing.assert_close(values['distill.loss_kd'], alone['distill.loss_kd'])

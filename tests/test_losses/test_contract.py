"""Contracts of every loss: of logits, of embeddings, of feature maps, and of both."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from eakd_det import losses, names
from eakd_det.building import build_model
from eakd_det.losses import InstanceTemperature, ProposalLoss

EA = dict(type='EntropyWeighting', tau=3.0)
CTKD = dict(type='LearnedTemperature', ramp_iters=10)
CURRICULUM = dict(type='CurriculumWeighting', total_iters=10**9)
EMBEDDING = dict(student_channels=6, teacher_channels=8)
REVIEW = dict(type='ReviewKDLoss', student_channels=6, teacher_channels=8, mid_channels=4, num_levels=2)
PKD = dict(type='PKDLoss', num_levels=2)
FCFD = dict(type='FCFDLoss', student_channels=6, teacher_channels=8, num_levels=2, roi_levels=2)
CROSS = dict(type='CrossHeadLoss', student_channels=6, teacher_channels=8, num_levels=2)
SRRL = dict(CROSS, squared=True, feature_weight=1.0)
ADAKD = dict(type='TeacherLossWeighting', total_iters=10**9)
DYNAMIC = dict(type='HardProposalWeighting', side='student', quantile=0.5)
INSTANCES = dict(type='InstanceTemperature', num_columns=5, hidden_channels=4, ramp_iters=10)
BRIDGED = dict(student_channels=6, teacher_channels=8, num_levels=2)
FGD = dict(type='FGDLoss', **BRIDGED, foreground_weight=1.0, background_weight=0.5, attention_weight=0.5)
FGD['relation_weight'] = 0.01
ZERO_AT_EQUAL_INPUTS = {
    'kd': dict(type='KDLoss'),
    'ea-kd': dict(type='KDLoss', tau=4.0, weighting=EA),
    'kd-matched': dict(type='KDLoss', weighting=dict(type='MeanMatchedWeighting')),
    'ea-kd-mean-one': dict(type='KDLoss', weighting=dict(type='EntropyWeighting', normalize=True)),
    'kd+ls': dict(type='KDLoss', tau=2.0, standardize=True),
    'ea-kd+ls': dict(type='KDLoss', tau=2.0, standardize='population', weighting=EA),
    'ctkd': dict(type='KDLoss', tau=CTKD),
    'ea-ctkd': dict(type='KDLoss', tau=CTKD, weighting=EA),
    'ctkd+ls': dict(type='KDLoss', tau=CTKD, standardize=True),
    'egad-inspired': dict(type='KDLoss', tau=dict(type='EntropyTemperature'), weighting=CURRICULUM),
    'dkd': dict(type='DKDLoss'),
    'dkd+ls': dict(type='DKDLoss', tau=2.0, standardize=True),
    'ea-dkd': dict(type='DKDLoss', tau=2.0, beta=8.0, weighting=EA),
    'ea-dkd+ls': dict(type='DKDLoss', tau=2.0, standardize=True, weighting=dict(EA, standardize=True)),
    'rkld': dict(type='RKLDLoss', tau=2.0),
    'ea-rkld': dict(type='RKLDLoss', weighting=EA),
    'jsd': dict(type='JSDLoss'),
    'ea-jsd': dict(type='JSDLoss', teacher_share=0.1, weighting=EA),
    'skld': dict(type='SKLDLoss'),
    'ea-skld': dict(type='SKLDLoss', tau=2.0, weighting=EA),
    'srkld': dict(type='SRKLDLoss'),
    'ea-srkld': dict(type='SRKLDLoss', weighting=EA),
    'mld': dict(type='MLDLoss'),
    'mld-published': dict(type='MLDLoss', masks='published', gram='published', loss_weight=0.9),
    'ea-mld': dict(type='MLDLoss', weighting=EA),
    'ea-mld+ls': dict(type='MLDLoss', masks='none', temperatures=(2, 3, 5, 2, 6), standardize=True, weighting=EA),
    'ld': dict(type='LDLoss', sites='all'),
    'ea-ld': dict(type='LDLoss', sites='all', weighting=EA),
    'box': dict(type='BoxLoss'),
    'ea-box-l1': dict(type='BoxLoss', distance='l1', weighting=EA),
    'adakd': dict(type='KDLoss', weighting=ADAKD),
    'dynamic-kd': dict(type='KDLoss', weighting=DYNAMIC),
    'ctkd-instance': dict(type='KDLoss', tau=INSTANCES),
    'cat-kd': dict(type='CATKDLoss'),
    'rkd': dict(type='RKDLoss'),
    'ea-rkd': dict(type='RKDLoss', weighting=EA),
    'l2': dict(type='EmbeddingLoss'),
    'ea-l2': dict(type='EmbeddingLoss', weighting=EA),
}
LOSSES = {
    **ZERO_AT_EQUAL_INPUTS,
    'ttm': dict(type='TTMLoss'),
    'wttm': dict(type='TTMLoss', weighting=dict(type='PowerSumWeighting')),
    'ea-ttm+ls': dict(type='TTMLoss', standardize=True, weighting=EA),
    'ea-l2-projected': dict(type='EmbeddingLoss', **EMBEDDING, weighting=EA),
    'pad': dict(type='PADLoss', student_channels=8),
    'ea-pad': dict(type='PADLoss', student_channels=8, batch_norm=False, weighting=EA),
    'pad-projected': dict(type='PADLoss', **EMBEDDING, warmup_iters=1),
    'nd': dict(type='NormDirectionLoss', num_classes=5, student_channels=8),
    'ea-nd-projected': dict(type='NormDirectionLoss', num_classes=5, **EMBEDDING, weighting=EA),
    'crd': dict(type='CRDLoss', **EMBEDDING, embed_channels=4),
    'ea-crd': dict(type='CRDLoss', student_channels=8, embed_channels=4, weighting=EA),
    'fitnet': dict(type='FitNetLoss', **BRIDGED),
    'ea-fitnet': dict(type='FitNetLoss', **BRIDGED, weighting=EA),
    'at': dict(type='ATLoss', num_levels=2),
    'ea-at': dict(type='ATLoss', num_levels=2, weighting=EA),
    'ofd': dict(type='OFDLoss', **BRIDGED),
    'ea-ofd': dict(type='OFDLoss', **BRIDGED, weighting=EA),
    'srrl': SRRL,
    'ea-srrl': dict(SRRL, weighting=EA),
    'cross-head': CROSS,
    'ea-cross-head': dict(CROSS, weighting=EA),
    'review': REVIEW,
    'ea-review': dict(REVIEW, weighting=EA),
    'pkd': PKD,
    'ea-pkd': dict(PKD, weighting=EA),
    'fgd': FGD,
    'ea-fgd': dict(FGD, weighting=EA),
    'fcfd': FCFD,
    'ea-fcfd': dict(FCFD, weighting=EA),
    'ea-fcfd-logits': dict(FCFD, weighting=EA, box_weight=0.0, feature_weight=0.0),
}
every_loss = pytest.mark.parametrize('cfg', LOSSES.values(), ids=LOSSES)
OF_SITES = {name: cfg for name, cfg in LOSSES.items() if getattr(losses, cfg['type']).unit == 'site'}
OF_THE_BATCH = ('CATKDLoss', 'CRDLoss', 'NormDirectionLoss', 'RKDLoss')  # their sites depend on each other
every_loss_of_sites = pytest.mark.parametrize('cfg', OF_SITES.values(), ids=OF_SITES)
IMAGES, CLASSES = 2, 5


class Head(nn.Module):
    """Predicts logits and boxes of site n from the means of the levels of image n % 2."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.classify, self.regress = nn.Linear(channels, CLASSES), nn.Linear(channels, 4)
        self.order = torch.arange(rows) % IMAGES

    def forward(self, levels: list[Tensor]) -> tuple[Tensor, Tensor]:
        means = torch.stack([level.mean(dim=(2, 3)) for level in levels]).sum(dim=0)
        embeddings = means.to(self.classify.weight.dtype)[self.order]
        return self.classify(embeddings), self.regress(embeddings)


class Inputs(NamedTuple):
    """Arguments of a loss by name, and the student's tensors and the teacher's among them."""

    arguments: dict[str, Any]
    student: list[Tensor]
    teacher: list[Tensor]


def inputs_of(cfg: dict[str, Any], rows: int = 12, dtype: torch.dtype = torch.float32, scale: float = 3.0) -> Inputs:
    """Random inputs; ``scale`` None gives values of 1000 and -1000."""

    def values(*shape: int, learned: bool) -> Tensor:
        tensor = torch.randn(*shape, dtype=dtype)
        return (1000 * tensor.sign() if scale is None else scale * tensor).requires_grad_(learned)

    def corners() -> Tensor:
        corner, size = values(rows, 2, learned=False), values(rows, 2, learned=False).abs()
        return torch.cat([corner, corner + size + 0.1], dim=1).requires_grad_()

    def pyramid(channels: int, learned: bool) -> list[Tensor]:
        return [values(IMAGES, channels, *size, learned=learned) for size in ((6, 4), (3, 2))]

    reads = build_model(cfg).default_mapping
    width = cfg.get('student_channels', 8)
    made: dict[str, Any] = dict(
        preds_S=values(rows, CLASSES, learned=True),
        preds_T=values(rows, CLASSES, learned=True),
        gt_labels=torch.randint(CLASSES, (rows,)),
        images=torch.arange(rows) % IMAGES,
        embeddings_S=values(rows, width, learned=True),
        embeddings_T=values(rows, 8, learned=True),
        features_S=pyramid(6, learned=True),
        features_T=pyramid(8, learned=True),
        predict_S=Head(6, rows).to(dtype),
        predict_T=Head(8, rows).to(dtype).requires_grad_(False),
        deltas_S=values(rows, 4, learned=True),
        deltas_T=values(rows, 4, learned=True),
        boxes_S=values(rows, 4, 17, learned=True),
        boxes_T=values(rows, 4, 17, learned=True),
        corners_S=corners(),
        corners_T=corners(),
        objects=torch.arange(rows) % 3 == 0,
        valuable=torch.arange(rows) % 2 / 2,
        gt_boxes=[torch.tensor([[0.0, 8.0, 20.0, 40.0], [16.0, 16.0, 32.0, 48.0]]), torch.zeros(0, 4)],
        input_size=(48, 32),
    )
    arguments = {name: made[name] for name in (*reads, 'gt_labels')}
    sides: dict[str, list[Tensor]] = {'_S': [], '_T': []}
    for name, value in arguments.items():
        if name[-2:] in sides and not name.startswith('predict'):
            sides[name[-2:]] += value if isinstance(value, list) else [value]
    return Inputs(arguments, sides['_S'], sides['_T'])


def per_site(cfg: dict[str, Any]) -> dict[str, Any]:
    """Settings with which ``cfg`` allows reduction 'none'."""
    return dict(cfg, batch_weight=0, class_weight=0) if cfg['type'] == 'MLDLoss' else cfg


def gradients(value: Tensor, tensors: list[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(value, tensors, allow_unused=True)
    return [torch.zeros_like(t) if g is None else g for g, t in zip(found, tensors, strict=True)]


def test_every_public_loss_is_here():
    temperatures = {'EntropyTemperature', 'InstanceTemperature', 'LearnedTemperature'}
    assert {cfg['type'] for cfg in LOSSES.values()} == set(names.PARTS['losses']) - temperatures


@every_loss
def test_the_same_inputs_give_the_same_value(cfg):
    loss, inputs = build_model(cfg).eval(), inputs_of(cfg)
    assert torch.equal(loss(**inputs.arguments), loss(**inputs.arguments))


@pytest.mark.parametrize('cfg', ZERO_AT_EQUAL_INPUTS.values(), ids=ZERO_AT_EQUAL_INPUTS)
def test_zero_at_equal_inputs(cfg):
    inputs = inputs_of(cfg)
    equal = {name: inputs.arguments.get(f'{name[:-1]}S', value) for name, value in inputs.arguments.items()}
    value = build_model(cfg)(**equal)
    assert value.abs() < 1e-5
    assert all(gradient.abs().max() < 1e-4 for gradient in gradients(value, inputs.student))


@every_loss
def test_gradients_reach_the_student_alone(cfg):
    loss, inputs = build_model(cfg), inputs_of(cfg)
    loss(**inputs.arguments).backward()
    assert sum(tensor.grad.abs().sum() for tensor in inputs.student if tensor.grad is not None) > 0
    assert all(tensor.grad is None for tensor in inputs.teacher)
    heads = [head for name, head in inputs.arguments.items() if name == 'predict_T']
    assert all(parameter.grad is None for head in heads for parameter in head.parameters())


@every_loss
@pytest.mark.parametrize('rows', [0, 1, 12])
def test_every_parameter_of_the_loss_has_a_finite_gradient(cfg, rows):
    # DDP stops without.
    loss, inputs = build_model(cfg), inputs_of(cfg, rows)
    loss(**inputs.arguments).backward()
    assert all(parameter.grad is not None for parameter in loss.parameters())
    assert all(parameter.grad.isfinite().all() for parameter in loss.parameters())


@every_loss_of_sites
@pytest.mark.parametrize('reduction', ['mean', 'sum', 'none'])
def test_without_sites_it_is_a_zero_with_a_graph(cfg, reduction):
    if cfg['type'] == 'FCFDLoss' or cfg.get('feature_weight'):
        if reduction == 'none':
            pytest.skip('it has a term that belongs to no site')
        cfg = dict(cfg, feature_weight=0.0)
    inputs = inputs_of(cfg, rows=0)
    cfg = per_site(cfg) if reduction == 'none' else cfg
    value = build_model(dict(cfg, reduction=reduction))(**inputs.arguments)
    assert value.shape == ((0,) if reduction == 'none' else ())
    assert value.sum() == 0
    assert any(gradient is not None for gradient in torch.autograd.grad(value.sum(), inputs.student, allow_unused=True))


@every_loss
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_finite_at_extremes(cfg, dtype):
    if cfg['type'] == 'PADLoss' and dtype == torch.float16:
        pytest.skip('the slope at the smallest variance is beyond float16')
    loss, inputs = build_model(cfg), inputs_of(cfg, scale=None)
    arguments = {
        name: value.detach().to(dtype).requires_grad_()
        if isinstance(value, Tensor) and value.is_floating_point()
        else value
        for name, value in inputs.arguments.items()
    }
    for _ in range(2):  # after a warm-up
        value = loss(**arguments)
        assert value.dtype == torch.float32
        assert value.isfinite()
        value.backward()
    student = [value for name, value in arguments.items() if name.endswith('_S') and isinstance(value, Tensor)]
    assert all(tensor.grad is None or tensor.grad.isfinite().all() for tensor in student)


@every_loss
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_autocast(cfg, dtype):
    loss, inputs = build_model(cfg), inputs_of(cfg)
    arguments = {
        name: value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value
        for name, value in inputs.arguments.items()
    }
    with torch.autocast('cpu', dtype=dtype):
        value = loss(**arguments)
    assert value.dtype == torch.float32
    value.backward()
    assert all(tensor.grad is None or tensor.grad.isfinite().all() for tensor in inputs.student)


@every_loss_of_sites
def test_permutation_of_sites(cfg):
    loss, inputs = build_model(cfg).eval(), inputs_of(cfg)
    order = torch.randperm(12)
    expected = loss(**inputs.arguments)
    permuted = {n: value[order] if isinstance(value, Tensor) else value for n, value in inputs.arguments.items()}
    for name in ('predict_S', 'predict_T'):
        if name in permuted:
            permuted[name].order = permuted[name].order[order]
    torch.testing.assert_close(loss(**permuted), expected)


@every_loss
def test_is_the_reduction_of_its_terms(cfg):
    loss, inputs = build_model(cfg).eval(), inputs_of(cfg)
    terms = loss.terms(**inputs.arguments)
    assert terms.unit == loss.unit
    parts = (4,) if cfg['type'] == 'LDLoss' else ()  # the sides of a box
    assert terms.divergence.shape == terms.weights.shape == ((12, *parts) if loss.unit == 'site' else (IMAGES,))
    assert terms.divergence.requires_grad
    assert not terms.weights.requires_grad
    weighted = terms.weights * terms.divergence
    weighted = weighted.sum(dim=1) if parts else weighted
    extra = 0 if terms.extra is None else terms.extra
    scale = cfg.get('loss_weight', 1.0)
    torch.testing.assert_close(loss(**inputs.arguments), scale * (weighted.mean() + extra))
    loss.reduction, loss.loss_weight = 'sum', 2.5
    torch.testing.assert_close(loss.reduce(terms), 2.5 * (weighted.sum() + extra))
    if terms.extra is None:
        loss.reduction = 'none'
        torch.testing.assert_close(loss.reduce(terms), 2.5 * weighted)


@every_loss
def test_weight_zero_gives_zero_gradients(cfg):
    inputs = inputs_of(cfg)
    value = build_model(dict(cfg, loss_weight=0))(**inputs.arguments)
    assert value == 0
    assert all(gradient.abs().max() == 0 for gradient in gradients(value, inputs.student))


@every_loss
def test_gradcheck(cfg):
    if cfg['type'] == 'CRDLoss':
        pytest.skip('it holds the other side of each pair fixed; compared with published gradients elsewhere')
    loss, inputs = build_model(cfg).double().eval(), inputs_of(cfg, rows=4, dtype=torch.float64)
    # A step in the student's logits changes its entropy, but the weight has no gradient.
    if 'preds_S' in loss.reads:
        seen = ('boxes_S', 'boxes_T') if 'boxes_S' in loss.reads else ('preds_S', 'preds_T')
        predictions = [inputs.arguments[name].flatten(0, -2) for name in seen]
        labels = [inputs.arguments['gt_labels']] * cfg.get('weighting', {}).get('type', '').startswith('TeacherLoss')
        weights = loss.weighting(*predictions, *labels)
        loss.weighting.forward = lambda *_: weights
        if isinstance(getattr(loss, 'tau', None), InstanceTemperature):
            temperatures = loss.tau(*predictions).detach()
            loss.tau.forward = lambda *_: temperatures
    name = next(n for n in ('features_S', 'embeddings_S', 'boxes_S', 'corners_S', 'preds_S') if n in loss.reads)
    tensors = inputs.arguments[name] if isinstance(inputs.arguments[name], list) else [inputs.arguments[name]]

    def value(*tensors: Tensor) -> Tensor:
        given = list(tensors) if isinstance(inputs.arguments[name], list) else tensors[0]
        return loss(**dict(inputs.arguments, **{name: given}))

    assert torch.autograd.gradcheck(value, tensors)


@every_loss_of_sites
def test_a_site_does_not_depend_on_the_others(cfg):
    if cfg['type'] in ('FCFDLoss', 'CrossHeadLoss'):
        pytest.skip('its heads predict all sites at once')
    if cfg['type'] in OF_THE_BATCH:
        pytest.skip('it compares the sites with each other')
    cfg = dict(per_site(cfg), weighting=dict(type='UniformWeighting'))
    cfg = dict(cfg, masks='none') if cfg['type'] == 'MLDLoss' else cfg
    loss, inputs = build_model(dict(cfg, reduction='none')).eval(), inputs_of(cfg, rows=513)
    parts = [{name: value[part] for name, value in inputs.arguments.items()} for part in (slice(512), slice(512, None))]
    together, apart = loss(**inputs.arguments), torch.cat([loss(**part) for part in parts])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)


@every_loss
def test_labels_are_accepted_and_ignored_by_losses_that_do_not_read_them(cfg):
    loss, inputs = build_model(cfg).eval(), inputs_of(cfg)
    assert isinstance(loss, ProposalLoss)
    without = {name: value for name, value in inputs.arguments.items() if name != 'gt_labels'}
    if cfg['type'] not in ('DKDLoss', 'CRDLoss', 'NormDirectionLoss') and cfg.get('weighting') != ADAKD:
        assert torch.equal(loss(**without), loss(**inputs.arguments))

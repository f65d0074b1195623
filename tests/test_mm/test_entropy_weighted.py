"""EA weights for MMRazor's losses: the same loss with uniform weights, and the right weight on each row."""

from __future__ import annotations

import copy
import inspect
from unittest import mock

import pytest
import torch
from mmrazor.registry import MODELS as MMRAZOR_MODELS
from torch import nn

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import DKDLoss, KDLoss
from eakd_det.mm.entropy_weighted import (
    EntropyWeighted,
    EntropyWeightedLogits,
    EntropyWeightedMaps,
    EntropyWeightedRelations,
)
from eakd_det.mm.rowwise import _kl_div
from eakd_det.weighting import EntropyWeighting, image_weights

UNIFORM = dict(type='UniformWeighting')
EA = dict(type='EntropyWeighting', tau=2.0)
ROWS, CLASSES, IMAGES = 12, 7, 3


def _random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def proposals(rows=ROWS):
    student, teacher = 2 * _random(2, rows, CLASSES)
    return student.requires_grad_(), teacher, torch.arange(rows) % CLASSES


def maps():
    student, teacher = _random(2, IMAGES, 8, 6, 5, seed=1)
    return student.requires_grad_(), teacher


def logits_and_images(rows=ROWS):
    student, teacher, _ = proposals(rows)
    # Images of 7, 1 and 4 proposals.
    images = torch.tensor([0] * 7 + [1] + [2] * (rows - 8)) if rows >= 8 else torch.zeros(rows, dtype=torch.long)
    return dict(weight_preds_S=student, weight_preds_T=teacher, weight_images=images)


def fbkd(student, teacher):
    torch.manual_seed(0)
    student_connector, teacher_connector = (
        MMRAZOR_MODELS.build(dict(type=f'FBKD{side}Connector', in_channels=8)).double()
        for side in ('Student', 'Teacher')
    )
    return student_connector(student), tuple(output.detach() for output in teacher_connector(teacher))


LOGIT_LOSSES = {
    'KLDivergence': dict(tau=2.0),
    'KLDivergence mean': dict(reduction='mean'),
    'KLDivergence sum': dict(reduction='sum', loss_weight=3.0),
    'DKDLoss': dict(tau=2.0, beta=0.5),
    'DKDLoss mean': dict(reduction='mean'),
    'WSLD': dict(num_classes=CLASSES),
    'CrossEntropyLoss': {},
    'L1Loss': {},
    'L1Loss old': dict(size_average=False),
}
FEATURE_LOSSES = {
    'ChannelWiseDivergence': dict(tau=4.0, loss_weight=5.0),
    'KLDivergence': {},
    'MGDLoss': {},
    'L2Loss': {},
    'L2Loss elements': dict(normalize=False, div_element=True),
    'L1Loss': {},
    'ATLoss': {},
    'ABLoss': {},
    'OFDLoss': {},
    'FTLoss': {},
}


def build(name, options, **wrapper):
    cfg = dict(type=name.split()[0], **options)
    return EntropyWeighted(cfg, **wrapper), MMRAZOR_MODELS.build(cfg)


def value_and_gradient(loss, student, *args, **kwargs):
    value = loss(student, *args, **kwargs)
    return value, torch.autograd.grad(value, student)[0]


@pytest.mark.parametrize(('name', 'options'), LOGIT_LOSSES.items(), ids=LOGIT_LOSSES)
def test_uniform_weights_give_the_wrapped_loss_of_proposals(name, options):
    student, teacher, labels = proposals()
    args = (teacher, labels) if name.split()[0] in ('DKDLoss', 'WSLD') else (teacher,)
    wrapped, plain = build(name, options, weighting=UNIFORM, unit='site')
    logits = {key: value for key, value in logits_and_images().items() if name.startswith('L1') and 'preds' in key}
    actual, expected = value_and_gradient(wrapped, student, *args, **logits), value_and_gradient(plain, student, *args)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize(('name', 'options'), FEATURE_LOSSES.items(), ids=FEATURE_LOSSES)
def test_uniform_weights_give_the_wrapped_loss_of_feature_maps(name, options):
    wrapped, plain = build(name, options, weighting=UNIFORM, unit='image')
    actual, expected = value_and_gradient(wrapped, *maps(), **logits_and_images()), value_and_gradient(plain, *maps())
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize('name', ['PKDLoss', 'FBKDLoss', 'L2Loss'])
def test_losses_that_are_no_mean_over_images_are_means_of_single_images(name):
    wrapped, plain = build(name, dict(dist=True) if name == 'L2Loss' else {}, weighting=UNIFORM, unit='image')
    student, teacher = maps()
    if name == 'FBKDLoss':
        student, teacher = fbkd(student, teacher)
        single = [plain([item[i : i + 1] for item in student], [item[i : i + 1] for item in teacher]) for i in range(3)]
    else:
        single = [plain(student[i : i + 1], teacher[i : i + 1]) for i in range(3)]
    value = wrapped(student, teacher, **logits_and_images())
    torch.testing.assert_close(value, sum(single) / 3)
    assert not torch.isclose(value, plain(student, teacher), rtol=1e-3)


def test_pkd_takes_tuples_of_levels():
    wrapped, plain = build('PKDLoss', {}, weighting=UNIFORM)
    (student, teacher), half = maps(), lambda level: level[..., ::2]
    expected = plain(student[:1], teacher[:1]) + plain(half(student)[:1], half(teacher)[:1])
    terms = wrapped.terms(preds_S=(student, half(student)), preds_T=(teacher, half(teacher)), **logits_and_images())
    torch.testing.assert_close(terms.divergence[0], expected)


@pytest.mark.parametrize('weighting', [EA, dict(EA, normalize=True), dict(type='MeanMatchedWeighting')])
def test_mmrazors_kl_with_weights_is_our_loss_with_weights(weighting):
    student, teacher, labels = proposals()
    actual = build('KLDivergence', dict(tau=2.0), weighting=weighting)[0](student, teacher)
    torch.testing.assert_close(actual, KDLoss(tau=2.0, weighting=weighting)(student, teacher))
    native = DKDLoss(tau=2.0, beta=0.5, weighting=weighting)
    wrapped = build('DKDLoss', dict(tau=2.0, beta=0.5), weighting=weighting)[0]
    torch.testing.assert_close(wrapped(student, teacher, labels), native(student, teacher, labels))
    as_shipped = build('DKDLoss', dict(tau=2.0, beta=0.5, reduction='mean'), weighting=weighting)[0]
    torch.testing.assert_close(as_shipped(student, teacher, labels), ROWS * native(student, teacher, labels))


def test_each_image_weighs_as_its_proposals_do():
    wrapped, plain = build('ChannelWiseDivergence', {}, weighting=EA)
    student, teacher = maps()
    logits = logits_and_images()
    weights = EntropyWeighting(tau=2.0)(logits['weight_preds_S'], logits['weight_preds_T'])
    expected = [weights[:7].mean(), weights[7], weights[8:].mean()]
    terms = wrapped.terms(preds_S=student, preds_T=teacher, **logits)
    torch.testing.assert_close(terms.weights, torch.stack(expected).detach())
    by_hand = sum(expected[i] * plain(student[i : i + 1], teacher[i : i + 1]) for i in range(3)) / 3
    torch.testing.assert_close(wrapped(student, teacher, **logits), by_hand)


def test_rois_tell_the_images():
    wrapped, _ = build('ChannelWiseDivergence', {}, weighting=EA)
    logits = logits_and_images()
    rois = torch.cat([logits['weight_images'][:, None].double(), _random(ROWS, 4)], 1)
    torch.testing.assert_close(wrapped(*maps(), **dict(logits, weight_images=rois)), wrapped(*maps(), **logits))


@pytest.mark.parametrize('name', ['DISTLoss', 'DistanceWiseRKD', 'AngleWiseRKD'])
def test_losses_that_compare_proposals_go_image_by_image(name):
    student, teacher, _ = proposals()
    logits = logits_and_images()
    logits['weight_images'] = torch.tensor([0] * 7 + [2] * 5)  # the middle image has none
    wrapped, plain = build(name, {}, weighting=EA, unit='sites_of_image')
    weights = EntropyWeighting(tau=2.0)(student, teacher)
    expected = sum(
        share * weights[rows].mean() * plain(student[rows], teacher[rows])
        for share, rows in ((7 / 12, slice(7)), (5 / 12, slice(7, None)))
    )
    actual, _ = value_and_gradient(wrapped, student, teacher, **logits)
    torch.testing.assert_close(actual, expected)


def test_a_separable_loss_is_the_same_in_any_unit():
    student, teacher, _ = proposals()
    for name, options in LOGIT_LOSSES.items():
        if name.startswith('KL'):
            wrapped, plain = build(name, options, weighting=UNIFORM, unit='sites_of_image')
            torch.testing.assert_close(wrapped(student, teacher, **logits_and_images()), plain(student, teacher))


@pytest.mark.parametrize('name', ['KLDivergence', 'DKDLoss', 'L2Loss', 'WSLD'])
def test_a_thousand_proposals_are_one_call(name):
    student, teacher, labels = proposals(1000)
    wrapped, plain = build(name, dict(num_classes=CLASSES) if name == 'WSLD' else {}, weighting=EA, unit='site')
    args = (student, teacher, labels) if name in ('DKDLoss', 'WSLD') else (student, teacher)
    with mock.patch.object(type(plain), 'forward', autospec=True, side_effect=type(plain).forward) as forward:
        wrapped(*args, **{key: value for key, value in logits_and_images(1000).items() if 'preds' in key}).backward()
    assert forward.call_count == 1


class Thresholded(nn.Module):
    """Picks entries by a mask, which cannot be batched."""

    def forward(self, preds_S, preds_T):
        return (preds_S - preds_T)[preds_T > 0].square().sum() / len(preds_S)


def test_what_cannot_be_batched_is_called_row_by_row_and_says_so(caplog):
    student, teacher, _ = proposals()
    with caplog.at_level('INFO', logger='eakd_det'):
        wrapped = EntropyWeighted(Thresholded(), weighting=UNIFORM, unit='site')
        for _ in range(2):
            actual, expected = (value_and_gradient(loss, student, teacher) for loss in (wrapped, Thresholded()))
            torch.testing.assert_close(actual, expected)
    assert [message.split('(vmap')[0] for message in caplog.messages] == [
        'EntropyWeighted(Thresholded): called for each row, 12 times per step '
    ]


@pytest.mark.parametrize('options', [{}, dict(reduction='sum'), dict(reduction='none'), dict(reduction='batchmean')])
@pytest.mark.parametrize('legacy', [{}, dict(size_average=False), dict(size_average=True), dict(reduce=False)])
@pytest.mark.parametrize('log_target', [True, False])
def test_the_spelt_out_kl_divergence_is_torchs(options, legacy, log_target):
    student, teacher, _ = proposals()
    args = student.log_softmax(1), teacher.log_softmax(1) if log_target else teacher.softmax(1)
    expected = torch.nn.functional.kl_div(*args, **options, **legacy, log_target=log_target)
    torch.testing.assert_close(_kl_div(*args, **options, **legacy, log_target=log_target), expected)


def test_as_many_images_as_proposals():
    """Each image weighs the mean of its own proposals, although row i of the maps could pass for proposal i."""
    student, teacher, _ = proposals(IMAGES)
    wrapped, _ = build('ChannelWiseDivergence', {}, weighting=EA)
    weights = wrapped.weighting(student, teacher)
    maps_S, maps_T = maps()
    terms = wrapped.terms(
        preds_S=maps_S,
        preds_T=maps_T,
        weight_preds_S=student,
        weight_preds_T=teacher,
        weight_images=torch.tensor([0, 2, 2]),
    )
    expected = torch.stack([weights[0], weights.mean(), weights[1:].mean()])
    assert terms.unit == 'image'
    torch.testing.assert_close(terms.weights, expected)


def test_no_proposals():
    wrapped, _ = build('KLDivergence', {}, weighting=EA)
    student, teacher, _ = proposals(0)
    value, gradient = value_and_gradient(wrapped, student, teacher)
    assert value == 0
    assert gradient.shape == (0, CLASSES)
    relational, _ = build('DISTLoss', {}, weighting=EA, unit='sites_of_image')
    assert relational(student, teacher, weight_images=torch.zeros(0)) == 0
    maps_only, plain = build('ChannelWiseDivergence', {}, weighting=EA)
    torch.testing.assert_close(maps_only(*maps(), **logits_and_images(0)), plain(*maps()))


def test_gradcheck():
    logits = logits_and_images()
    for name in ('ChannelWiseDivergence', 'PKDLoss', 'MGDLoss'):
        wrapped, _ = build(name, {}, weighting=EA)
        student, teacher = (level[:, :2, :2, :3].detach().contiguous() for level in maps())
        assert torch.autograd.gradcheck(lambda s, t=teacher, w=wrapped: w(s, t, **logits), student.requires_grad_())


def test_permuted_proposals():
    student, teacher, labels = proposals()
    wrapped, _ = build('DKDLoss', {}, weighting=EA)
    order = torch.randperm(ROWS)
    torch.testing.assert_close(
        wrapped(student[order], teacher[order], labels[order]), wrapped(student, teacher, labels)
    )


def test_weights_get_no_gradient_and_half_precision_is_summed_in_float():
    wrapped, _ = build('ChannelWiseDivergence', {}, weighting=EA)
    logits = logits_and_images()
    student, teacher = (level.detach().bfloat16().requires_grad_() for level in maps())
    value = wrapped(student, teacher, **logits)
    assert value.dtype == torch.float64  # the weights' own, of float64 logits
    value.backward()
    assert student.grad.isfinite().all()
    assert logits['weight_preds_S'].grad is None


def test_mmrazor_sees_the_arguments_of_the_wrapped_loss():
    wrapped = build_model(dict(type='eakd_det.EntropyWeighted', loss=dict(type='DKDLoss')))
    parameters = inspect.signature(wrapped.forward).parameters
    assert list(parameters) == ['preds_S', 'preds_T', 'gt_labels', 'weight_preds_S', 'weight_preds_T', 'weight_images']
    assert [parameter.default for parameter in parameters.values()] == [inspect.Parameter.empty] * 3 + [None] * 3


def test_copies_are_independent():
    wrapped, _ = build('KLDivergence', {}, weighting=EA)
    twin = copy.deepcopy(wrapped)
    twin.loss.loss_weight = 0.0
    student, teacher, _ = proposals()
    assert twin(student, teacher) == 0
    assert wrapped(student, teacher) > 0


@pytest.mark.parametrize(
    ('unit', 'kind'),
    [
        ('site', EntropyWeightedLogits),
        ('proposal', EntropyWeightedLogits),
        ('image', EntropyWeightedMaps),
        ('sites_of_image', EntropyWeightedRelations),
        ('proposals_of_image', EntropyWeightedRelations),
    ],
)
def test_the_unit_picks_the_class(unit, kind):
    built = build('L2Loss', {}, unit=unit)[0]
    assert type(built) is kind
    assert f'unit={built.unit!r}' in repr(built)
    by_name = build_model(dict(type=f'eakd_det.{kind.__name__}', loss=dict(type='mmrazor.L2Loss'), weighting=EA))
    assert type(by_name) is kind


@pytest.mark.parametrize('name', ['PKDLoss', 'FBKDLoss', 'L2Loss'])
def test_what_is_not_separable_is_logged(name, caplog):
    with caplog.at_level('INFO', logger='eakd_det'):
        build(name, dict(dist=True) if name == 'L2Loss' else {}, unit='image')
    assert f'with uniform weights it differs from {name}' in caplog.text


@pytest.mark.parametrize(
    ('loss', 'options', 'message'),
    [
        (dict(type='eakd_det.KDLoss'), {}, 'expected a loss without weights, but got KDLoss; give it weighting='),
        (dict(type='DISTLoss'), {}, "unit: expected 'sites_of_image', because DISTLoss compares rows"),
        (
            dict(type='PKDLoss'),
            dict(unit='level'),
            r'EntropyWeighted\.unit: expected one of site, image',
        ),
        (dict(type='L2Loss'), {}, r"EntropyWeighted\.unit: expected 'site' or 'image' for L2Loss"),
    ],
)
def test_bad_arguments(loss, options, message):
    with pytest.raises(ConfigError, match=message):
        EntropyWeighted(loss, **options)


@pytest.mark.parametrize(
    ('unit', 'drop', 'message'),
    [
        ('image', 'weight_preds_S', 'expected class logits for the weights, but got none; add weight'),
        ('image', 'weight_images', 'expected the image of each site, but got none'),
        ('proposal', None, 'expected one row for each of 12 sites, but got 3'),
        ('sites_of_image', None, 'expected one row for each of 12 sites'),
    ],
)
def test_what_is_missing_is_named(unit, drop, message):
    wrapped, _ = build('ChannelWiseDivergence', {}, unit=unit)
    logits = {key: value for key, value in logits_and_images().items() if key != drop}
    with pytest.raises(ConfigError, match=message):
        wrapped(*maps(), **logits)


def test_rows_of_different_counts():
    student, teacher, _ = proposals()
    with pytest.raises(ConfigError, match=r'expected tensors of one batch size .*s_feature \[12\], t_feature \[11\]'):
        build('L2Loss', {}, unit='site')[0].terms(
            s_feature=student, t_feature=teacher[:11], weight_preds_S=student, weight_preds_T=teacher
        )


def test_unknown_arguments_are_named():
    student, teacher, _ = proposals()
    with pytest.raises(ConfigError, match=r'EntropyWeighted\(KLDivergence\): .*preds_X.* preds_S, preds_T'):
        build('KLDivergence', {})[0](student, teacher, preds_X=student)


def test_image_weights_of_an_image_without_proposals():
    weights = torch.tensor([1.0, 2.0, 6.0])
    torch.testing.assert_close(image_weights(weights, torch.tensor([0, 0, 2]), 4), torch.tensor([1.5, 3.0, 6.0, 3.0]))


@pytest.mark.parametrize(
    ('images', 'message'),
    [(torch.tensor([0, 1]), 'the image of each of 3 sites'), (torch.tensor([0, 1, 2]), 'indices from 0 to 1')],
)
def test_images_that_do_not_fit(images, message):
    with pytest.raises(ConfigError, match=message):
        image_weights(torch.ones(3), images, 2)

"""FitNet, AT, OFD, RKD, KD++, CRD, SRRL, CTKD's instance form: what their shared contract does not cover."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import at_divergence, crd_divergence, ofd_divergence, rkd_angle_divergence
from eakd_det.losses import (
    ATLoss,
    CRDLoss,
    CrossHeadLoss,
    FitNetLoss,
    InstanceTemperature,
    KDLoss,
    NormDirectionLoss,
    RKDLoss,
)


def given(rows=12, width=4, classes=3):
    student, teacher = torch.randn(2, rows, width)
    logits = torch.randn(2, rows, classes)
    return dict(preds_S=logits[0], preds_T=logits[1], embeddings_S=student, embeddings_T=teacher)


def test_attention_ignores_widths_and_magnitudes_but_not_places():
    maps = torch.randn(2, 8, 5, 7)
    assert at_divergence(100 * maps.repeat(1, 3, 1, 1), maps).max() < 1e-6
    assert at_divergence(maps.flip(3), maps).min() > 0.01
    tiny, huge = (torch.full((1, 2, 3, 3), value) for value in (1e-30, 1e30))
    assert at_divergence(tiny, huge).max() < 1e-6


def test_ofd_leaves_alone_what_is_below_a_negative_teacher():
    student = torch.tensor([[[[-9.0, -2.0, 0.5]]]], requires_grad=True)
    teacher = torch.tensor([[[[-1.0, -3.0, 2.0]]]])  # the mean of its negative responses is -2
    ofd_divergence(student, teacher).sum().backward()
    assert student.grad.flatten().tolist() == pytest.approx([0.0, 0.0, -1.0])  # 2 (0.5 - 2) / 3


def test_fitnet_fits_the_teacher():
    teacher = [torch.randn(2, 8, 6, 4), torch.randn(2, 8, 3, 2)]
    student = [level[:, :6] for level in teacher]
    loss = FitNetLoss(6, 8, num_levels=2)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.05)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        value = loss(features_S=student, features_T=teacher)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.5 * values[0]


@pytest.mark.parametrize(
    ('loss', 'message'),
    [
        (FitNetLoss(5, 8, num_levels=1), r'^FitNetLoss\.student_channels: expected the width .*, 6, but got 5$'),
        (
            FitNetLoss(6, 8, num_levels=3),
            r'^FitNetLoss\.num_levels: expected 3 pyramid levels in features_S, but got 2',
        ),
        (ATLoss(num_levels=3), r'^ATLoss\.num_levels: expected 3 pyramid levels in features_S, but got 2'),
    ],
)
def test_levels_that_do_not_fit(loss, message):
    levels = [torch.randn(1, 6, 4, 4), torch.randn(1, 6, 2, 2)]
    with pytest.raises(ConfigError, match=message):
        loss(features_S=levels, features_T=levels)


def test_angles_among_evenly_spaced_sites_have_their_published_mean():
    inputs = given(rows=130)
    loss = RKDLoss(distance_weight=0.0, angle_weight=50.0, angle_sites=65)
    chosen = [inputs[name][::2] for name in ('embeddings_S', 'embeddings_T')]
    torch.testing.assert_close(loss(**inputs), 50 * rkd_angle_divergence(*chosen).mean())
    weighed = loss.terms(**inputs).divergence
    assert weighed[1::2].abs().max() == 0
    assert (weighed[::2] > 0).all()


def test_rkd_of_equal_sites_has_a_finite_gradient():
    inputs = given() | dict(embeddings_S=torch.ones(12, 4, requires_grad=True))
    RKDLoss()(**inputs).backward()
    assert inputs['embeddings_S'].grad.isfinite().all()


def test_relations_do_not_change_with_place_and_size():
    inputs = given()
    moved = inputs | dict(embeddings_S=3 * inputs['embeddings_T'] + 5)
    assert RKDLoss()(**moved) < 1e-4


def test_class_means_are_those_of_all_steps_so_far():
    loss = NormDirectionLoss(num_classes=3, student_channels=4)
    steps = [given() | dict(gt_labels=torch.randint(2, (12,))) for _ in range(3)]
    for step in steps:
        loss(**step)
    embeddings = torch.cat([step['embeddings_T'] for step in steps])
    labels = torch.cat([step['gt_labels'] for step in steps])
    for label in (0, 1):
        torch.testing.assert_close(loss.centers.means[label], embeddings[labels == label].mean(dim=0))
    assert loss.centers.counts.tolist() == [*labels.bincount().tolist(), 0]
    loss.eval()(**steps[0])
    assert loss.centers.counts.sum() == 36


@pytest.mark.parametrize('loss', [NormDirectionLoss(num_classes=3, student_channels=4), CRDLoss(4)])
def test_classes_do_not_depend_on_their_order(loss):
    inputs, labels = given(), torch.randint(3, (12,))
    torch.testing.assert_close(loss.eval()(**inputs, gt_labels=labels), loss(**inputs, gt_labels=2 - labels))


def test_label_beyond_the_classes():
    with pytest.raises(ConfigError, match=r'^NormDirectionLoss\.num_classes: expected more than the largest label, 3'):
        NormDirectionLoss(num_classes=3, student_channels=4)(**given(), gt_labels=torch.full((12,), 3))


def test_crd_needs_another_class():
    embeddings = torch.randn(5, 4, requires_grad=True)
    value = crd_divergence(embeddings, torch.randn(5, 4), torch.zeros(5, dtype=torch.long))
    assert value.abs().max() == 0
    value.sum().backward()
    assert embeddings.grad.abs().max() == 0


def test_crd_tells_each_site_from_those_of_other_classes():
    student, teacher = torch.randn(6, 4, requires_grad=True), torch.randn(6, 4)
    optimizer = torch.optim.Adam([student], lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        crd_divergence(student, teacher, torch.arange(6)).mean().backward()
        optimizer.step()
    similarities = torch.cosine_similarity(student[:, None], teacher, dim=2)
    assert torch.equal(similarities.argmax(dim=1), torch.arange(6))


def test_srrl_without_the_teachers_levels():
    levels, logits = [torch.randn(1, 6, 4, 4)], torch.randn(3, 5)
    loss = CrossHeadLoss(squared=True, feature_weight=1.0)
    with pytest.raises(ConfigError, match=r'^CrossHeadLoss: expected features_T for feature_weight'):
        loss(logits, logits, lambda _: (logits, None), levels)


def test_each_site_has_a_temperature_that_moves_against_the_student():
    student, teacher = 3 * torch.randn(2, 64, 11)
    loss = KDLoss(dict(type='InstanceTemperature', num_columns=11, hidden_channels=8, ramp_iters=1))
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.01)
    values = []
    for _ in range(10):
        optimizer.zero_grad()
        value = loss(student, teacher)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert all(later > earlier for earlier, later in pairwise(values))
    temperatures = loss.tau(student, teacher)
    assert temperatures.shape == (64,)
    assert 1 < temperatures.min() < temperatures.max() < 21
    torch.testing.assert_close(loss.log_values()['tau'], temperatures.mean().detach())


def test_no_gradient_reaches_the_student_through_the_temperature_network():
    student = torch.randn(4, 3, requires_grad=True)
    InstanceTemperature(num_columns=3)(student, torch.randn(4, 3)).sum().backward()
    assert student.grad is None


def test_number_of_columns():
    with pytest.raises(ConfigError, match=r'^InstanceTemperature\.num_columns: expected .*, 5, but got 81$'):
        InstanceTemperature()(torch.zeros(2, 5), torch.zeros(2, 5))

"""A teacher's classes and boxes in the student's."""

from __future__ import annotations

import pytest
import torch
from mmdet.models import BBoxHead

from eakd_det.errors import ConfigError
from eakd_det.functional import entropy
from eakd_det.sites import ClassGroups
from eakd_det.sites.roi_translation import RoITranslation

# The teacher: cat, dog, car, bus, tree. The student: vehicle (car or bus), dog, cat.
AS_BACKGROUND = ClassGroups([[2, 3], [1], [0]], [4])
DROPPED = ClassGroups([[2, 3], [1], [0]])


def head(num_classes, stds=(0.1, 0.1, 0.2, 0.2), means=(0.0,) * 4, coder='DeltaXYWHBBoxCoder'):
    return BBoxHead(
        in_channels=4,
        roi_feat_size=1,
        num_classes=num_classes,
        bbox_coder=dict(type=coder, target_means=means, target_stds=stds)
        if coder == 'DeltaXYWHBBoxCoder'
        else dict(type=coder),
    )


def translation(groups=AS_BACKGROUND):
    return RoITranslation(head(len(groups.members)), head(5), groups)


def test_probabilities_of_the_members_add_up():
    logits = 3 * torch.randn(7, 6, dtype=torch.float64)
    teacher, translated = logits.softmax(dim=1), translation().logits(logits).softmax(dim=1)
    expected = torch.stack(
        [teacher[:, 2] + teacher[:, 3], teacher[:, 1], teacher[:, 0], teacher[:, 5] + teacher[:, 4]], 1
    )
    torch.testing.assert_close(translated, expected)


def test_dropped_classes_are_renormalised_away():
    logits = 3 * torch.randn(7, 6, dtype=torch.float64)
    teacher, translated = logits.softmax(dim=1), translation(DROPPED).logits(logits).softmax(dim=1)
    kept = torch.stack([teacher[:, 2] + teacher[:, 3], teacher[:, 1], teacher[:, 0], teacher[:, 5]], 1)
    torch.testing.assert_close(translated, kept / kept.sum(dim=1, keepdim=True))


def test_a_sure_unmapped_object_is_background_unless_dropped():
    """What the teacher takes for a tree is unlabelled for the student; without trees it would be a guess."""
    logits = torch.tensor([[1.0, 0.5, 0.0, 0.0, 12.0, 0.0]])
    assert translation().logits(logits).argmax() == 3
    assert translation(DROPPED).logits(logits).argmax() == 2  # a cat


def test_a_permutation_is_exact():
    logits = torch.randn(5, 6)
    translated = translation(groups=ClassGroups([[4], [0], [1], [2], [3]])).logits(logits)
    assert torch.equal(translated, logits[:, [4, 0, 1, 2, 3, 5]])


def test_without_a_map_logits_are_what_they_were():
    logits = torch.randn(5, 6)
    assert RoITranslation(head(5), head(5)).logits(logits) is logits


@pytest.mark.parametrize('groups', [AS_BACKGROUND, DROPPED])
def test_extreme_logits_and_gradients(groups):
    logits = torch.tensor([[1000.0, -1000, 0, 0, 1000, -1000], [-1000.0] * 6, [1000.0] * 6]).requires_grad_()
    translated = translation(groups).logits(logits)
    assert translated.isfinite().all()
    entropy(translated).sum().backward()
    assert logits.grad.isfinite().all()
    exact = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(translation(groups).logits, exact)


def test_half_precision_and_no_proposals():
    logits = torch.randn(4, 6)
    low = translation().logits(logits.bfloat16())
    torch.testing.assert_close(low.float(), translation().logits(logits), rtol=0.02, atol=0.02)
    assert translation().logits(logits[:0]).shape == (0, 4)


def test_deltas_are_the_members_and_of_merged_classes_the_likelier():
    logits = torch.zeros(2, 6)
    logits[1, 3] = 50.0  # surely a bus
    deltas = torch.arange(2 * 5 * 4.0).reshape(2, 20)
    boxes = deltas.reshape(2, 5, 4)
    translated = translation().boxes(deltas, logits).reshape(2, 3, 4)
    torch.testing.assert_close(translated[0, 0], (boxes[0, 2] + boxes[0, 3]) / 2)
    torch.testing.assert_close(translated[1, 0], boxes[1, 3])
    torch.testing.assert_close(translated[:, 1:], boxes[:, [1, 0]])
    agnostic = torch.randn(2, 4)
    torch.testing.assert_close(translation().boxes(agnostic, logits), agnostic)


def test_deltas_come_in_the_students_units():
    stds, means = (0.05, 0.05, 0.1, 0.1), (0.1, 0.0, 0.0, -0.2)
    translate = RoITranslation(head(5), head(5, stds=stds, means=means))
    deltas, rois = torch.randn(6, 20), torch.tensor([[0.0, 0.0, 40.0, 30.0]]).repeat(6, 1)
    translated = translate.boxes(deltas, torch.zeros(6, 6))
    decoded = (
        head(5).bbox_coder.decode(rois, translated),
        head(5, stds=stds, means=means).bbox_coder.decode(rois, deltas),
    )
    torch.testing.assert_close(*decoded, rtol=1e-4, atol=1e-4)


def test_deltas_of_another_coder_cannot_be_compared():
    translate = RoITranslation(head(5), head(5, coder='TBLRBBoxCoder'))
    with pytest.raises(ConfigError, match='expected the same type as the student, DeltaXYWHBBoxCoder, but got TBLR'):
        translate.boxes(torch.zeros(1, 20), torch.zeros(1, 6))

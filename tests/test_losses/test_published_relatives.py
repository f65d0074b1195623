"""Baselines and relatives of EA-KD beside their published code.

The numbers are what that code gives for the inputs below: value, and sum of the absolute gradient. The repositories on
github.com: HobbitLong/RepDistiller (b84f547; FitNet, AT, RKD, CRD), megvii-research/mdistiller (a08d46f; AT, RKD, OFD),
clovaai/overhaul-distillation (76344a8; OFD), WangYZ1608/Knowledge-Distillation-via-ND (fc6f3f9; the detection code of
KD++), GzyAftermath/CAT-KD (4467073), jingyang2017/KD_SRRL (d2e802f), lancopku/DynamicKD (261162d), DefangChen/SimKD
(2b389c3), zhengli97/CTKD (7d52522), forjiuzhou/Spherical-Knowledge-Distillation (1c73fc0; the README of SKD, by ATKD's
author).
"""

from __future__ import annotations

import pytest
import torch

from eakd_det import functional
from eakd_det.losses import CATKDLoss, CrossHeadLoss, EmbeddingLoss, KDLoss, NormDirectionLoss, RKDLoss
from eakd_det.losses.cross_head import _mean_gap

CLOSE = 1e-6
LABELS, IMAGES = torch.arange(8) % 4, torch.arange(8) // 4
MARGINS = torch.tensor([-0.3, -0.5, -0.9, -1.4], dtype=torch.float64)


def inputs():
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 4, 5, 7, generator=generator, dtype=torch.float64)
    embeddings = torch.randn(2, 8, 6, generator=generator, dtype=torch.float64)
    logits = 2 * torch.randn(2, 8, 4, generator=generator, dtype=torch.float64)
    return maps, embeddings, logits


MAPS, EMBEDDINGS, LOGITS = inputs()


def of_embeddings(loss):
    def value(student, teacher):
        given = dict(preds_S=LOGITS[0], preds_T=LOGITS[1], embeddings_S=student, embeddings_T=teacher)
        return loss.double()(**given, gt_labels=LABELS)

    return value


def instance_temperature_loss():
    """Return CTKD with temperatures from 1.6 to 12.8, whose gradient is half reversed at the first iteration."""
    tau = dict(type='InstanceTemperature', num_columns=4, hidden_channels=3, ramp_iters=2)
    loss = KDLoss(tau=tau).double()
    with torch.no_grad():
        for weight in loss.tau.theta.parameters():
            weight.copy_(torch.linspace(-0.5, 0.5, weight.numel()).reshape(weight.shape))
        loss.tau.theta[-1].bias.fill_(-3.0)
    return loss


# name: what is compared, its inputs, value and gradient
PUBLISHED = {
    'fitnet': (lambda s, t: functional.hcl_divergence(s, t, ()).mean(), MAPS, 2.304826217790094, 2.4354094461029683),
    # 35 positions times the published mean over positions
    'at': (lambda s, t: functional.at_divergence(s, t).mean(), MAPS, 0.5578894380449432, 1.3717067914828336),
    # the published sum, divided by its 420 summands
    'ofd': (
        lambda s, t: functional.ofd_divergence(s, t, MARGINS).mean(),
        MAPS,
        1.7365904028517123,
        1.978757612593284,
    ),
    'rkd': (of_embeddings(RKDLoss()), EMBEDDINGS, 4.2287568621060085, 9.898649547084629),
    'rkd, distances': (
        of_embeddings(RKDLoss(distance_weight=1.0, angle_weight=0.0)),
        EMBEDDINGS,
        0.04961997714314169,
        0.15631707367091585,
    ),
    # with the published weight for R-18; the class means are those of this batch in both
    'kd++': (
        of_embeddings(NormDirectionLoss(num_classes=4, student_channels=6, loss_weight=1.5)),
        EMBEDDINGS,
        1.7022058081412417,
        1.2431995706594277,
    ),
    # the anchor of the student, with a memory that holds this batch, and as negatives all sites of other classes
    'crd': (
        lambda s, t: functional.crd_divergence(s, t, LABELS).mean(),
        EMBEDDINGS,
        13.255085991133702,
        11.15987808010206,
    ),
    # two maps of 2 x 2 sites, normalised and not pooled, times 4 sites
    'cat-kd': (lambda s, t: CATKDLoss()(s, t, IMAGES), LOGITS, 1.9350517513836865, 0.7984839759381676),
    'srrl, features': (_mean_gap, MAPS, 0.059650586865905623, 0.3755015416461205),
    'srrl, logits': (
        lambda s, t: CrossHeadLoss(squared=True)(s, t, lambda levels: (levels[0], None), [s]),
        LOGITS,
        8.980329734667407,
        5.031081176996009,
    ),
    # maps of one position and no projector, as widths are equal
    'simkd': (of_embeddings(EmbeddingLoss()), EMBEDDINGS, 2.1727418064151447, 2.3371445698787374),
    # the repository's divergence of each row at its temperature, averaged as its README does for this form. The network
    # is this package's in both: the repository has none
    'ctkd, instance-wise': (
        lambda s, t: instance_temperature_loss()(s, t),
        LOGITS,
        2.608757254949158,
        1.6802659257977348,
    ),
    # SKD's layer norm times 2 at temperature 4 is temperature 2 here; the factor is 16 there, 4 here
    'atkd, as skd': (
        KDLoss(tau=2.0, standardize='population', loss_weight=4.0),
        LOGITS,
        3.033217608564489,
        1.7419146814872735,
    ),
}


@pytest.mark.parametrize(('compare', 'pair', 'value', 'gradient'), PUBLISHED.values(), ids=PUBLISHED)
def test_value_and_gradient(compare, pair, value, gradient):
    student = pair[0].clone().requires_grad_()
    result = compare(student, pair[1])
    (found,) = torch.autograd.grad(result, student)
    assert result.item() == pytest.approx(value, rel=CLOSE)
    assert found.abs().sum().item() == pytest.approx(gradient, rel=CLOSE)


def test_ctkd_reverses_the_gradient_of_its_network():
    """CTKD's reversal and loss give these sums of each parameter's gradient, halfway along the ramp."""
    loss = instance_temperature_loss()
    loss(*LOGITS).backward()
    sums = [weight.grad.sum().item() for weight in loss.tau.theta.parameters()]
    assert sums == pytest.approx(
        [-0.26466638117964, -0.04802401321388, -0.37522354808916, -0.24038006063312], rel=CLOSE
    )


def test_margins_of_a_normal_distribution_are_those_of_its_batch_norm():
    """OFD's code computes -0.4918 and -1.1967 for the weights 0.7 and 1.3 and the biases 0.2 and -0.4."""
    normal = torch.randn(2, 2, 300, 300, generator=torch.Generator().manual_seed(0))
    scale, shift = torch.tensor([0.7, 1.3])[:, None, None], torch.tensor([0.2, -0.4])[:, None, None]
    margins = functional.negative_means(normal * scale + shift)
    torch.testing.assert_close(margins, torch.tensor([-0.4918, -1.1967]), rtol=0, atol=0.01)


@pytest.mark.parametrize('measure', ['entropy', 'confidence', 'margin'])
def test_dynamic_kd_chooses_the_same_sites(measure):
    weighting = dict(type='HardProposalWeighting', side='student', quantile=0.5, measure=measure)
    weights = KDLoss(weighting=weighting).weighting(*LOGITS)
    assert weights.nonzero().flatten().tolist() == [1, 3, 5, 6]
    assert set(weights.tolist()) == {0.0, 2.0}

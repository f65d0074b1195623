# EA-DKD+LS: DKD of standardised logits, EA weights from the raw ones (the published code: from standardised ones,
# `weighting.standardize=True`). Nothing is published for detection; T = 2 is that of CIFAR-100, whose weight is 9.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_dkd=dict(
                type='eakd_det.DKDLoss',
                tau=2.0,
                alpha=1.0,
                beta=0.25,
                standardize=True,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

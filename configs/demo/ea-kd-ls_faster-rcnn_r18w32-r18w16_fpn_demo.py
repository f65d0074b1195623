# EA-KD+LS: KD of standardised logits, EA weights from the raw ones. Nothing is published for detection; T = 2 is that
# of CIFAR-100, whose weight is 9.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_kd=dict(
                type='eakd_det.KDLoss',
                tau=2.0,
                standardize=True,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

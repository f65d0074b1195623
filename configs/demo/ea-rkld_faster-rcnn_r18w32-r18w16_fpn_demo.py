# EA-RKLD: KL divergence the other way round, each proposal with its EA weight (our reading).
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_rkld=dict(
                type='eakd_det.RKLDLoss',
                tau=1.0,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

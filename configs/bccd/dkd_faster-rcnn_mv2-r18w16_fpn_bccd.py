# DKD: target and non-target parts of the divergence apart, with the weights of the papers' detection runs.
_base_ = '../_base_/distill_mv2-r18w16_bccd.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_dkd=dict(
                type='eakd_det.DKDLoss',
                tau=1.0,
                alpha=1.0,
                beta=0.25,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

# DKD+ReviewKD: the sum of both losses.
_base_ = './dkd.py'

distiller = dict(
    distill_losses=dict(
        loss_review=dict(
            type='eakd_det.ReviewKDLoss',
            loss_weight=1.2,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

# DKD+ReviewKD: the sum of both losses.
distiller = dict(
    distill_losses=dict(
        loss_dkd=dict(
            type='eakd_det.DKDLoss',
            tau=1.0,
            alpha=1.0,
            beta=0.25,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
        loss_review=dict(
            type='eakd_det.ReviewKDLoss',
            loss_weight=1.2,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

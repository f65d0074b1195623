# DKD: the divergence split into a target and a non-target part, with the weights of the papers' detection runs.
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
    ),
)

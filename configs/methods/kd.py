# KD: KL divergence between the class distributions, with equal weights of all proposals.
distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

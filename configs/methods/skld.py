# SKLD: KL divergence from the teacher to a mixture of both. From language models, applied to proposals.
distiller = dict(
    distill_losses=dict(
        loss_skld=dict(
            type='eakd_det.SKLDLoss',
            tau=1.0,
            alpha=0.1,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

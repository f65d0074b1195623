# SRKLD: KL divergence from the student to a mixture of both. From language models, applied to proposals.
distiller = dict(
    distill_losses=dict(
        loss_srkld=dict(
            type='eakd_det.SRKLDLoss',
            tau=1.0,
            alpha=0.1,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

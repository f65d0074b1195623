# RKLD: KL divergence from the student to the teacher. From language models, applied to proposals.
distiller = dict(
    distill_losses=dict(
        loss_rkld=dict(
            type='eakd_det.RKLDLoss',
            tau=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

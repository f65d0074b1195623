# JSD: Jensen-Shannon divergence. From language models, applied to proposals.
distiller = dict(
    distill_losses=dict(
        loss_jsd=dict(
            type='eakd_det.JSDLoss',
            tau=1.0,
            teacher_share=0.5,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

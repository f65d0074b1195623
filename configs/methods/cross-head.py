# After CrossKD: the teacher's head on the student's pyramid is compared with the teacher's head on its own.
distiller = dict(
    distill_losses=dict(
        loss_cross=dict(
            type='eakd_det.CrossHeadLoss',
            tau=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

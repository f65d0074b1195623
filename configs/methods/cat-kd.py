# CAT-KD: where in an image each class is seen, over its proposals. Nothing is published for detection.
distiller = dict(
    distill_losses=dict(
        loss_cat=dict(
            type='eakd_det.CATKDLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

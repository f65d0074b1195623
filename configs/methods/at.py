# AT: distance of the maps of squared activations of the pyramid levels. Nothing is published for detection.
distiller = dict(
    distill_losses=dict(
        loss_at=dict(
            type='eakd_det.ATLoss',
            power=2.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

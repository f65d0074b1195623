# FitNet: squared error of pyramid levels after a trained 1 x 1 convolution. Nothing is published on its settings for
# detection; the widths of the pyramids are in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_fitnet=dict(
            type='eakd_det.FitNetLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

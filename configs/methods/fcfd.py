# FCFD: features are compared by the outputs of the other network's head. The widths of the pyramids are in the pair's
# loss_options.
distiller = dict(
    distill_losses=dict(
        loss_fcfd=dict(
            type='eakd_det.FCFDLoss',
            tau=1.0,
            box_weight=1.0,
            feature_weight=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

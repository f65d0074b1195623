# FGD: the levels of both pyramids are compared where objects are, elsewhere, and by their relations. The weights are
# published for two-stage detectors; those for dense ones and the widths of the pyramids are in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_fgd=dict(
            type='eakd_det.FGDLoss',
            foreground_weight=5e-5,
            background_weight=2.5e-5,
            attention_weight=5e-5,
            relation_weight=5e-7,
            tau=0.5,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

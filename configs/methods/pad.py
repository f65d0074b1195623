# PAD: squared error of RoI embeddings with a predicted variance, in one stage, as in the published run for ImageNet; no
# detection settings were found. The width of the embeddings is in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_pad=dict(
            type='eakd_det.PADLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

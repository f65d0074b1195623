# PKD: the levels of both pyramids are compared by the correlation of their channels. 6 is published for Faster R-CNN.
distiller = dict(
    distill_losses=dict(
        loss_pkd=dict(
            type='eakd_det.PKDLoss',
            loss_weight=6.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

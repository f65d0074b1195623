# BCKD: quality focal loss of the scores, and GIoU of the boxes, weighted by the largest difference of a site's scores.
# For dense detectors with sigmoid scores; the numbers are those of the published code.
distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            focal_beta=1.0,
            reduction='objects',
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
        loss_box=dict(
            type='eakd_det.BoxLoss',
            reduction='objects',
            loss_weight=4.0,
            weighting=dict(type='eakd_det.DifferenceWeighting'),
        ),
    ),
)

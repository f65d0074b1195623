# OFD: squared error of pyramid levels where the teacher is positive or the student above it. Nothing is published for
# pyramids.
distiller = dict(
    distill_losses=dict(
        loss_ofd=dict(
            type='eakd_det.OFDLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

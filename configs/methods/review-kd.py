# ReviewKD: each level of the teacher's pyramid is matched by that level and all coarser ones of the student. 1.2 is
# published for R18; pairs set other weights and widths in their loss_options.
distiller = dict(
    distill_losses=dict(
        loss_review=dict(
            type='eakd_det.ReviewKDLoss',
            loss_weight=1.2,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

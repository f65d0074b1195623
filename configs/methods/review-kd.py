# ReviewKD: each pyramid level of the teacher, from that level and all coarser ones of the student. 1.2 is published for
# R18; a pair with another weight or other widths has them in its loss_options.
distiller = dict(
    distill_losses=dict(
        loss_review=dict(
            type='eakd_det.ReviewKDLoss',
            loss_weight=1.2,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

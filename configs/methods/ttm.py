# TTM: the student as it is, the teacher at a temperature. Nothing is published for detection; T = 2 is gamma = 0.5 in
# the paper.
distiller = dict(
    distill_losses=dict(
        loss_ttm=dict(
            type='eakd_det.TTMLoss',
            tau=2.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

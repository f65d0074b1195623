# TTM: only the teacher has a temperature. Nothing is published for detection; T = 2 corresponds to the paper's
# gamma = 0.5.
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

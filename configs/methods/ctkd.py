# CTKD: KD at a temperature that is trained against the student. 21 iterations are the published share of the schedule
# (10 of 240 epochs) for the demo's 500.
distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=dict(type='eakd_det.LearnedTemperature', ramp_iters=21),
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

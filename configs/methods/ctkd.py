# CTKD: KD at a temperature that is trained adversarially. The ramp is the published fraction of the schedule, 10 of 240
# epochs, of the demo's 220 iterations.
distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=dict(type='eakd_det.LearnedTemperature', ramp_iters=9),
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

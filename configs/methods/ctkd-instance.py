# CTKD's instance-wise form: a temperature for each proposal from a network that is trained adversarially. The ramp is
# as in ctkd.py; the number of columns is in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_ctkd=dict(
            type='eakd_det.KDLoss',
            tau=dict(type='eakd_det.InstanceTemperature', num_columns=81, ramp_iters=9),
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

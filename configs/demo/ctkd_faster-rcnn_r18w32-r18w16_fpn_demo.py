# CTKD: KD at a temperature that is trained against the student. 21 iterations are the share of the published ramp, 10
# of 240 epochs.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_kd=dict(
                type='eakd_det.KDLoss',
                tau=dict(type='eakd_det.LearnedTemperature', ramp_iters=10),
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

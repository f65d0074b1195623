# The control for EA-KD: every proposal gets the batch mean of the EA weights, so that nothing is selected.
_base_ = '../_base_/distill_r50-mv2_custom.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_kd=dict(
                type='eakd_det.KDLoss',
                tau=1.0,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.MeanMatchedWeighting', tau=3.0),
            ),
        ),
    ),
)

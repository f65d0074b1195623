# The sum of EA-KD and PKD.
_base_ = './pkd.py'

distiller = dict(
    distill_losses=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=1.0,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
        ),
    ),
)

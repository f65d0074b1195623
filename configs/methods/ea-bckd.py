# BCKD with EA-KD's weights, of each score and, as their mean, of each box.
_base_ = './bckd.py'

distiller = dict(
    distill_losses=dict(
        loss_kd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=1.0)),
        loss_box=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=1.0)),
    )
)

# After CrossKD, with EA-KD's weights from the plain predictions of both networks.
_base_ = './cross-head.py'

distiller = dict(distill_losses=dict(loss_cross=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

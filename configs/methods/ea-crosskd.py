# CrossKD's quality focal loss with EA-KD's weights from the plain predictions of both networks.
_base_ = './ea-cross-head.py'

distiller = dict(distill_losses=dict(loss_cross=dict(focal_beta=1.0)))

# CrossKD's quality focal loss of the crossed scores, weight 1, for sigmoid scores; crossed before the teacher's head.
_base_ = './cross-head.py'

distiller = dict(distill_losses=dict(loss_cross=dict(focal_beta=1.0)))

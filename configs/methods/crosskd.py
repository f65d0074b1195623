# CrossKD's quality focal loss of the crossed scores, weight 1, for sigmoid scores. The pairs of its paper cross after
# the third convolution of the head, as it does, others before the head (loss_options of the pair).
_base_ = './cross-head.py'

distiller = dict(distill_losses=dict(loss_cross=dict(focal_beta=1.0)))

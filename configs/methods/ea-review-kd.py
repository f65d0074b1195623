# EA-ReviewKD: ReviewKD in which each image is weighted by the mean EA weight of its proposals (our reading, see
# docs/methods.md).
_base_ = './review-kd.py'

distiller = dict(distill_losses=dict(loss_review=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

# EA-ReviewKD: ReviewKD with each image weighted by the mean EA weight of its proposals (an interpretation, see
# docs/methods.md).
_base_ = './review-kd.py'

distiller = dict(distill_losses=dict(loss_review=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

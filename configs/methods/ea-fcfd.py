# EA-FCFD: FCFD with proposals, and the features of images, weighted by entropies (see docs/methods.md).
_base_ = './fcfd.py'

distiller = dict(distill_losses=dict(loss_fcfd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

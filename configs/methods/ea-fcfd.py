# EA-FCFD: FCFD in which each proposal, and the features of each image, are weighted by entropies (see docs/methods.md).
_base_ = './fcfd.py'

distiller = dict(distill_losses=dict(loss_fcfd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

# EA-RKLD: RKLD with each proposal weighted by its EA weight (an interpretation).
_base_ = './rkld.py'

distiller = dict(distill_losses=dict(loss_rkld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

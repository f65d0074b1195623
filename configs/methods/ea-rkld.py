# EA-RKLD: RKLD with the EA weight of each proposal (our reading).
_base_ = './rkld.py'

distiller = dict(distill_losses=dict(loss_rkld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

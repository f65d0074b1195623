# EA-SRKLD: SRKLD with the EA weight of each proposal (our reading).
_base_ = './srkld.py'

distiller = dict(distill_losses=dict(loss_srkld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

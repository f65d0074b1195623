# EA-SKLD: SKLD with the EA weight of each proposal (our reading).
_base_ = './skld.py'

distiller = dict(distill_losses=dict(loss_skld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

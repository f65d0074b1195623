# EA-SRKLD: SRKLD with each proposal weighted by its EA weight (an interpretation).
_base_ = './srkld.py'

distiller = dict(distill_losses=dict(loss_srkld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

# EA-SKLD: SKLD with each proposal weighted by its EA weight (an interpretation).
_base_ = './skld.py'

distiller = dict(distill_losses=dict(loss_skld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

# EA-MLD+LS: MLD+LS with EA weights of the raw logits.
_base_ = './mld-ls.py'

distiller = dict(distill_losses=dict(loss_mld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

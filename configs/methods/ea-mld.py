# EA-MLD: MLD whose proposals are weighted by entropies; its Gram terms are not.
_base_ = './mld.py'

distiller = dict(distill_losses=dict(loss_mld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

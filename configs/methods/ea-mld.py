# EA-MLD: MLD with proposals weighted by entropies; the Gram terms are not weighted.
_base_ = './mld.py'

distiller = dict(distill_losses=dict(loss_mld=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

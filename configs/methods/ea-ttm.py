# EA-TTM: TTM in which each proposal is weighted by entropies, in place of the weight of WTTM.
_base_ = './ttm.py'

distiller = dict(distill_losses=dict(loss_ttm=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

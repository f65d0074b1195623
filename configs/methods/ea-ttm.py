# EA-TTM: TTM with proposals weighted by entropies instead of WTTM's weight.
_base_ = './ttm.py'

distiller = dict(distill_losses=dict(loss_ttm=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

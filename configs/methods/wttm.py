# WTTM: TTM with each proposal weighted by the power sum of the teacher's distribution.
_base_ = './ttm.py'

distiller = dict(distill_losses=dict(loss_ttm=dict(weighting=dict(type='eakd_det.PowerSumWeighting', tau=2.0))))

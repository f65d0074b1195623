# EA-JSD: JSD with each proposal weighted by its EA weight (an interpretation).
_base_ = './jsd.py'

distiller = dict(distill_losses=dict(loss_jsd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

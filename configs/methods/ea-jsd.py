# EA-JSD: JSD with the EA weight of each proposal (our reading).
_base_ = './jsd.py'

distiller = dict(distill_losses=dict(loss_jsd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

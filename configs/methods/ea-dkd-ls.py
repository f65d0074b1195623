# EA-DKD+LS: DKD of standardised logits, EA weights from the raw ones (the published code takes standardised ones,
# `weighting.standardize=True`).
_base_ = './dkd-ls.py'

distiller = dict(distill_losses=dict(loss_dkd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

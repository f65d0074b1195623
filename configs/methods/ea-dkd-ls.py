# EA-DKD+LS: DKD of standardised logits, EA weights of the raw ones (the published code uses standardised ones,
# `weighting.standardize=True`).
_base_ = './dkd-ls.py'

distiller = dict(distill_losses=dict(loss_dkd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

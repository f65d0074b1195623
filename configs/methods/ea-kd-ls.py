# EA-KD+LS: KD of standardised logits, EA weights of the raw ones.
_base_ = './kd-ls.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

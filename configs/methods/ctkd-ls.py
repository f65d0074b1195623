# CTKD+LS: KD of standardised logits at a learned temperature.
_base_ = './ctkd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(standardize=True)))

# KD+LS: KD of standardised logits. Nothing is published for detection; T = 2 is the value for CIFAR-100, with a
# weight of 9.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(tau=2.0, standardize=True)))

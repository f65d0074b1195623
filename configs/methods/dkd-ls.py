# DKD+LS: DKD of standardised logits. Nothing is published for detection; T = 2 is the value for CIFAR-100, with a
# weight of 9.
_base_ = './dkd.py'

distiller = dict(distill_losses=dict(loss_dkd=dict(tau=2.0, standardize=True)))

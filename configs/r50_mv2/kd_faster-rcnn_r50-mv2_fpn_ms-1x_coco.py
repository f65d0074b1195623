# KD: KL divergence between the class distributions, with equal weights of all proposals.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/kd.py']

model = dict(distiller=_base_.distiller)

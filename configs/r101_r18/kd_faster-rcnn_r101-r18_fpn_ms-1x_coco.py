# KD: KL divergence between the class distributions, with equal weights of all proposals.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/kd.py']

model = dict(distiller=_base_.distiller)

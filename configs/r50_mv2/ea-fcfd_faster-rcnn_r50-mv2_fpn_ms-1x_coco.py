# EA-FCFD: FCFD in which each proposal, and the features of each image, are weighted by entropies (see docs/methods.md).
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/ea-fcfd.py']

model = dict(distiller=_base_.distiller)

# EA-FCFD: FCFD with proposals, and the features of images, weighted by entropies (see docs/methods.md).
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/ea-fcfd.py']

model = dict(distiller=_base_.distiller)

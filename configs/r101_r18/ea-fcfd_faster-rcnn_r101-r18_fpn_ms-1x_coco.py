# EA-FCFD: FCFD with proposals, and the features of images, weighted by entropies (see docs/methods.md).
_base_ = ['../pairs/r101-r18_coco.py', '../methods/ea-fcfd.py']

model = dict(distiller=_base_.distiller)

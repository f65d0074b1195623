# DKD: the divergence split into a target and a non-target part, with the weights of the papers' detection runs.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/dkd.py']

model = dict(distiller=_base_.distiller)

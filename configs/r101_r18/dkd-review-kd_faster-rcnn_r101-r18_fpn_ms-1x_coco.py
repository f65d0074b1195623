# DKD+ReviewKD: the sum of both losses.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/dkd-review-kd.py']

model = dict(distiller=_base_.distiller)

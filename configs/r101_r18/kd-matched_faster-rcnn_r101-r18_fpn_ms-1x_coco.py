# The control for EA-KD: all proposals have the batch mean of the EA weights, without selection.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/kd-matched.py']

model = dict(distiller=_base_.distiller)

# The control for EA-KD: all proposals have the batch mean of the EA weights, without selection.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/kd-matched.py']

model = dict(distiller=_base_.distiller)

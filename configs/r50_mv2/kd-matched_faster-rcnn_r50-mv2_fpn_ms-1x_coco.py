# The control for EA-KD: every proposal gets the batch mean of the EA weights, so that nothing is selected.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/kd-matched.py']

model = dict(distiller=_base_.distiller)

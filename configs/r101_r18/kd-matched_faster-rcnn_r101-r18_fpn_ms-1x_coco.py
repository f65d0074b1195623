# The control for EA-KD: every proposal gets the batch mean of the EA weights, so that nothing is selected.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/kd-matched.py']

model = dict(distiller=_base_.distiller)

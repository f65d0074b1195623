# EA-ReviewKD: ReviewKD with each image weighted by the mean EA weight of its proposals (an interpretation, see
# docs/methods.md).
_base_ = ['../pairs/r101-r18_coco.py', '../methods/ea-review-kd.py']

model = dict(distiller=_base_.distiller)

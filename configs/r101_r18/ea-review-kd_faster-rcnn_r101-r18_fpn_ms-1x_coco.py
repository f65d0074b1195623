# EA-ReviewKD: ReviewKD in which each image is weighted by the mean EA weight of its proposals (our reading, see
# docs/methods.md).
_base_ = ['../pairs/r101-r18_coco.py', '../methods/ea-review-kd.py']

model = dict(distiller=_base_.distiller)

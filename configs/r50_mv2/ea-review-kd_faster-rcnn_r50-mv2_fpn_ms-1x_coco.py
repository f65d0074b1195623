# EA-ReviewKD: ReviewKD with each image weighted by the mean EA weight of its proposals (an interpretation, see
# docs/methods.md).
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/ea-review-kd.py']

model = dict(distiller=_base_.distiller)
model['distiller']['distill_losses']['loss_review'].update(_base_.loss_options.loss_review)

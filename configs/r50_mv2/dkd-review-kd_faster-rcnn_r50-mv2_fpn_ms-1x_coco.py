# DKD+ReviewKD: the sum of both losses.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/dkd-review-kd.py']

model = dict(distiller=_base_.distiller)
model['distiller']['distill_losses']['loss_review'].update(_base_.loss_options.loss_review)

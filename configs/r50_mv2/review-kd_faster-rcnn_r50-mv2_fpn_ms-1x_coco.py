# ReviewKD: each level of the teacher's pyramid is matched by that level and all coarser ones of the student.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/review-kd.py']

model = dict(distiller=_base_.distiller)
model['distiller']['distill_losses']['loss_review'].update(_base_.loss_options.loss_review)

# ReviewKD: each level of the teacher's pyramid is matched by that level and all coarser ones of the student.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/review-kd.py']

model = dict(distiller=_base_.distiller)

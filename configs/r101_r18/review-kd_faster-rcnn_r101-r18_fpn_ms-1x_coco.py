# ReviewKD: each pyramid level of the teacher, from that level and all coarser ones of the student.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/review-kd.py']

model = dict(distiller=_base_.distiller)

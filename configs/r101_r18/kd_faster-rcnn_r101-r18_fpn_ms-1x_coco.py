# KD: the teacher's class distribution, with the same weight for every proposal.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/kd.py']

model = dict(distiller=_base_.distiller)

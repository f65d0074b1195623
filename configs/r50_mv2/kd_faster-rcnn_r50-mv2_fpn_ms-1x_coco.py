# KD: the teacher's class distribution, with the same weight for every proposal.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/kd.py']

model = dict(distiller=_base_.distiller)

# EA-DKD: DKD with each proposal weighted by the entropies of teacher and student.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/ea-dkd.py']

model = dict(distiller=_base_.distiller)

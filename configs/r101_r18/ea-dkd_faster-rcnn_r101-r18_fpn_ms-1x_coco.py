# EA-DKD: DKD with each proposal weighted by the entropies of teacher and student.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/ea-dkd.py']

model = dict(distiller=_base_.distiller)

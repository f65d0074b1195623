# EA-KD: KD with each proposal weighted by the entropies of teacher and student.
_base_ = ['../pairs/r50-mv2_custom.py', '../methods/ea-kd.py']

model = dict(distiller=_base_.distiller)

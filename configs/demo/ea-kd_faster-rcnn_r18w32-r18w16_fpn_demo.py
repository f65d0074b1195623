# EA-KD: KD with each proposal weighted by the entropies of teacher and student.
_base_ = ['../pairs/r18w32-r18w16_demo.py', '../methods/ea-kd.py']

model = dict(distiller=_base_.distiller)

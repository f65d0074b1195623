# FCFD: features are compared by the outputs of the other network's head.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/fcfd.py']

model = dict(distiller=_base_.distiller)

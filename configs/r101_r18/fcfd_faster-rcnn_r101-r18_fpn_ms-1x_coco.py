# FCFD: features are compared by the outputs of the other network's head.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/fcfd.py']

model = dict(distiller=_base_.distiller)

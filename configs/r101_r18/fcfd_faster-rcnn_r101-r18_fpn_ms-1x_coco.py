# FCFD: features are alike if the other network's head understands them.
_base_ = ['../pairs/r101-r18_coco.py', '../methods/fcfd.py']

model = dict(distiller=_base_.distiller)

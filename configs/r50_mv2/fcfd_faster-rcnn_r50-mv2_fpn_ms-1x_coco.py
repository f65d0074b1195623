# FCFD: features are alike if the other network's head understands them.
_base_ = ['../pairs/r50-mv2_coco.py', '../methods/fcfd.py']

model = dict(distiller=_base_.distiller)

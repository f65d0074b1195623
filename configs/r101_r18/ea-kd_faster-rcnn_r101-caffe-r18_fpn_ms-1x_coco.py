# EA-KD with the caffe-style R101.
_base_ = ['../pairs/r101-caffe-r18_coco.py', '../methods/ea-kd.py']

model = dict(distiller=_base_.distiller)

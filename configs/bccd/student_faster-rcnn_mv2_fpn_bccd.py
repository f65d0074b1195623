# MobileNetV2 from ImageNet: the teacher's backbone, half of its pyramid's channels, a third of its iterations.
_base_ = ['../_base_/faster-rcnn_mv2_fpn_small.py', '../_base_/bccd.py']

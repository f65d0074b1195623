# MobileNetV2 teaches a thin ResNet-18 on blood cells.
_base_ = ['../_base_/faster-rcnn_mv2-r18w16.py', '../_base_/bccd.py']

model = dict(teacher_ckpt='work_dirs/teacher_faster-rcnn_mv2_fpn_bccd/iter_450.pth')

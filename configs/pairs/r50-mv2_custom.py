# R50 teaches MobileNetV2 on your own data. configs/custom/teacher_faster-rcnn_r50_fpn_custom.py trains the teacher.
_base_ = ['../_base_/faster-rcnn_r50-mv2.py', '../_base_/custom.py']

model = dict(teacher_ckpt='work_dirs/teacher_faster-rcnn_r50_fpn_custom/student.pth')

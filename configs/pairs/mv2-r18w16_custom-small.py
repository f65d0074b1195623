# MobileNetV2 from ImageNet teaches a thin ResNet-18 on your own data. The student, which cannot inherit its backbone,
# starts with the packaged weights of the digit scenes, and trains for 900 iterations with the teacher's views.
_base_ = ['../_base_/faster-rcnn_mv2-r18w16.py', '../_base_/custom_small_teacher.py']

load_from = 'zoo://demo-student'
model = dict(teacher_ckpt='work_dirs/teacher_faster-rcnn_mv2_fpn_custom-small/student.pth')

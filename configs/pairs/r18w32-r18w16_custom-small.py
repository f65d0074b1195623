# The demo's detectors on your own data. `teacher_ckpt` comes from the teacher's config in configs/custom_small.
_base_ = ['../_base_/faster-rcnn_r18w32-r18w16.py', '../_base_/custom_small.py']

model = dict(teacher_ckpt='work_dirs/teacher_faster-rcnn_r18w32_fpn_custom-small/student.pth')

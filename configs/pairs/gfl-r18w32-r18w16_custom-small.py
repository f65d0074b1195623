# Thin GFL detectors on your own data, without a GPU. `teacher_ckpt` comes from the teacher's config in
# configs/dense.
_base_ = ['../_base_/gfl_r18w32-r18w16.py', '../_base_/custom_small.py']

model = dict(teacher_ckpt='work_dirs/teacher_gfl_r18w32_fpn_custom-small/student.pth')

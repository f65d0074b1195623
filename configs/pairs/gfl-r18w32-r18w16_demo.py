# Thin GFL detectors on the digit scenes, for ../studies/demo_gfl.py, which sets `teacher_ckpt`.
_base_ = ['../_base_/gfl_r18w32-r18w16.py', '../_base_/demo.py']

model = dict(teacher_ckpt='work_dirs/demo_gfl/teacher/seed-0/iter_440.pth')

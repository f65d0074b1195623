# As own_data_mv2_fifth_raccoon.py, with labels for all photos of raccoons. The teacher is trained before, by
# python tools/distill.py data/raccoon --student faster-rcnn_r18w16_from-mv2 --work-dir work_dirs/own_data/mv2_raccoon
title = 'A teacher from ImageNet: raccoons'
seeds = (0, 1, 2, 3, 4)
options = {'data_root': 'data/raccoon'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_raccoon/teacher/student.pth')
student = 'student-900'
control = 'student'
questions = {
    'Does the teacher help over as long a training without it?': ('from-mv2', 'student-900'),
    'Does it help over the plain student of 300 iterations?': ('from-mv2', 'student'),
}

arms = {
    'student': dict(
        title='student, 300 iterations', config='../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'
    ),
    'student-900': dict(
        title='the same start and views, 900 iterations',
        config='../custom_small/student-900_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'from-mv2': dict(title='from-mv2, 900 iterations', config='../pairs/mv2-r18w16_custom-small.py+ea-kd-pkd'),
}

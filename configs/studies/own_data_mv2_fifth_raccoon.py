# MobileNetV2 from ImageNet as the teacher, with labels for a fifth of the photos of raccoons, beside the plain student
# of the same start, views and iterations. Teacher and labels are made before, by
# python tools/distill.py data/raccoon_fifth --student faster-rcnn_r18w16_from-mv2
# --photos data/raccoon_fifth/unlabelled --work-dir work_dirs/own_data/mv2_raccoon_fifth
title = 'A teacher from ImageNet, a fifth of the labels: raccoons'
seeds = (0, 1, 2, 3, 4)
options = {'data_root': 'data/raccoon_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_raccoon_fifth/teacher/student.pth')
student = 'student'
control = 'student-900'
questions = {
    'Does the teacher help over as long a training without it?': ('from-mv2-all', 'student-900'),
    'Does it help over the plain student of 300 iterations?': ('from-mv2-all', 'student'),
}

arms = {
    'student': dict(
        title='student, labelled photos, 300 iterations',
        config='../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'student-900': dict(
        title='the same start and views, 900 iterations',
        config='../custom_small/student-900_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'from-mv2-all': dict(
        title='from-mv2, all photos, 900 iterations',
        config='../pairs/mv2-r18w16_custom-small.py+ea-kd-pkd',
        options={
            'teacher_labels': 'work_dirs/own_data/mv2_raccoon_fifth/teacher_labels.json',
            'teacher_images': 'data/raccoon_fifth/unlabelled',
        },
    ),
}

# Labels for a fifth of the photos of blood cells, in data/bccd_fifth; the others are in data/bccd_fifth/unlabelled.
# tools/dev/study_photos.py --fifth makes the folder, with labels for a fifth of the photos drawn at random.
# Teacher and labels are made before, by python tools/distill.py data/bccd_fifth --size small
# --photos data/bccd_fifth/unlabelled --work-dir work_dirs/own_data/bccd_fifth
title = 'A fifth of the labels: blood cells'
seeds = (0, 1, 2, 3, 4)
options = {'data_root': 'data/bccd_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/bccd_fifth/teacher/student.pth')
student = 'student'
control = 'own-data'
questions = {
    'Do photos without labels help?': ('own-data-all', 'student'),
    'Does it beat a longer training without a teacher?': ('own-data-all', 'student-1200'),
    'Does it beat a plain student of 900 iterations?': ('own-data-all', 'student-900'),
    'Do labels by the teacher help, without teaching?': ('labels-all', 'student'),
    'Does the start help beyond these labels?': ('inherit-all', 'labels-all'),
    'Does teaching help beyond labels and start?': ('own-data-all', 'inherit-all'),
    'Does teaching help beyond labels, without the start?': ('ea-kd-pkd-all', 'labels-all'),
}

_pair = '../pairs/r18w32-r18w16_custom-small.py'
_student = '../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'
_labels = {
    'teacher_labels': 'work_dirs/own_data/bccd_fifth/teacher_labels.json',
    'teacher_images': 'data/bccd_fifth/unlabelled',
}
_inherit = {
    'model.inherit': ['backbone', 'neck', 'rpn_head', 'roi_head'],
    'model.distiller.distill_losses.loss_kd.loss_weight': 0.0,
}
arms = {
    'student': dict(title='student, labelled photos', config=_student),
    'student-900': dict(
        title="labelled photos, the teacher's start, views and 900 iterations",
        config='../custom_small/student-900_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'student-1200': dict(
        title="labelled photos, the teacher's start, views and 1,200 iterations",
        config='../custom_small/student-1200_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'own-data': dict(title='own-data, labelled photos', config=f'{_pair}+own-data'),
    'own-data-all': dict(title='own-data, all photos', config=f'{_pair}+own-data', options=_labels),
    'labels-all': dict(title="the teacher's labels alone", config=_student, options=_labels),
    'inherit-all': dict(
        title="the teacher's labels and inheritance", config=f'{_pair}+ea-kd', options={**_labels, **_inherit}
    ),
    'ea-kd-pkd-all': dict(title='without inheritance', config=f'{_pair}+ea-kd-pkd', options=_labels),
}

# The recipe for one's own data and its parts on blood cells (BCCD), in data/bccd. The teacher is trained before, by
# python tools/distill.py data/bccd --size small --work-dir work_dirs/own_data/bccd
title = 'Own data: blood cells'
seeds = (0, 1, 2, 3, 4)
options = {'data_root': 'data/bccd'}
teacher = dict(checkpoint='work_dirs/own_data/bccd/teacher/student.pth')
student = 'student'
control = 'ea-kd'
questions = {
    'Does the recipe help?': ('own-data', 'student'),
    'Does it beat a longer training without a teacher?': ('own-data', 'student-1200'),
    'Does it beat EA-KD alone?': ('own-data', 'ea-kd'),
    'Does teaching help beyond the start?': ('own-data', 'inherit'),
}

_pair = '../pairs/r18w32-r18w16_custom-small.py'
_parts = ['backbone', 'neck', 'rpn_head', 'roi_head']
arms = {
    'student': dict(title='student', config='../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'),
    'student-1200': dict(
        title="the teacher's start, views and 1,200 iterations",
        config='../custom_small/student-1200_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
    'own-data': dict(title='own-data: inheritance, EA-KD, PKD', config=f'{_pair}+own-data'),
    'ea-kd': dict(title='EA-KD', config=f'{_pair}+ea-kd'),
    'ea-kd-pkd': dict(title='without inheritance: EA-KD, PKD', config=f'{_pair}+ea-kd-pkd'),
    'inherit-ea-kd': dict(
        title='without PKD: inheritance, EA-KD', config=f'{_pair}+ea-kd', options={'model.inherit': _parts}
    ),
    'inherit': dict(
        title='inheritance alone',
        config=f'{_pair}+ea-kd',
        options={'model.inherit': _parts, 'model.distiller.distill_losses.loss_kd.loss_weight': 0.0},
    ),
}

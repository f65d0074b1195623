# Which losses the method for one's own data has, chosen on a third of the training photos of blood cells, split off, in
# data/bccd_pick. The teacher is trained before, by
# python tools/distill.py data/bccd_pick --size small --work-dir work_dirs/own_data/bccd_pick
title = 'Choosing the method for own data: blood cells'
seeds = (0, 1, 2, 3, 4)
options = {'data_root': 'data/bccd_pick'}
teacher = dict(checkpoint='work_dirs/own_data/bccd_pick/teacher/student.pth')
student = 'student'
control = 'inherit'
questions = {
    'Do EA-KD and PKD help beyond the start?': ('own-data', 'inherit'),
    'Does EA-KD help beside PKD?': ('own-data', 'inherit-pkd'),
    'Does PKD help beside EA-KD?': ('own-data', 'inherit-ea-kd'),
    'Does EA-KD+LS?': ('inherit-ea-kd-ls', 'inherit'),
    'Is it better than EA-KD and PKD?': ('inherit-ea-kd-ls', 'own-data'),
    'Does EA help KD+LS?': ('inherit-ea-kd-ls', 'inherit-kd-ls'),
    'Does PKD help EA-KD+LS?': ('inherit-ea-kd-ls-pkd', 'inherit-ea-kd-ls'),
}

_pair = '../pairs/r18w32-r18w16_custom-small.py'
_parts = ['backbone', 'neck', 'rpn_head', 'roi_head']
_loss = 'model.distiller.distill_losses.loss_kd'
arms = {
    'student': dict(title='student', config='../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'),
    'inherit': dict(
        title='inheritance alone',
        config=f'{_pair}+ea-kd',
        options={'model.inherit': _parts, f'{_loss}.loss_weight': 0.0},
    ),
    'own-data': dict(title='own-data: inheritance, EA-KD, PKD', config=f'{_pair}+own-data'),
    'inherit-ea-kd': dict(
        title='without PKD: inheritance, EA-KD', config=f'{_pair}+ea-kd', options={'model.inherit': _parts}
    ),
    'inherit-pkd': dict(
        title='without EA-KD: inheritance, PKD', config=f'{_pair}+pkd', options={'model.inherit': _parts}
    ),
    'inherit-kd-ls': dict(title='inheritance, KD+LS', config=f'{_pair}+kd-ls', options={'model.inherit': _parts}),
    'inherit-ea-kd-ls': dict(
        title='inheritance, EA-KD+LS', config=f'{_pair}+ea-kd-ls', options={'model.inherit': _parts}
    ),
    'inherit-ea-kd-ls-pkd': dict(
        title='inheritance, EA-KD+LS, PKD',
        config=f'{_pair}+ea-kd-pkd',
        options={'model.inherit': _parts, f'{_loss}.standardize': True, f'{_loss}.tau': 2.0},
    ),
}

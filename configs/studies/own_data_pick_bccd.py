# Which losses the method for one's own data has: as own_data_bccd.py, on a third of the training photos of blood cells,
# split off, in data/bccd_pick.
_base_ = './own_data_bccd.py'

title = 'Choosing the method for own data: blood cells'
options = {'data_root': 'data/bccd_pick'}
teacher = dict(checkpoint='work_dirs/own_data/bccd_pick/teacher/student.pth')
control = 'inherit'
questions = {
    '_delete_': True,
    'Do EA-KD and PKD help beyond the start?': ('own-data', 'inherit'),
    'Does EA-KD help beside PKD?': ('own-data', 'inherit-pkd'),
    'Does PKD help beside EA-KD?': ('own-data', 'inherit-ea-kd'),
    'Does EA-KD+LS?': ('inherit-ea-kd-ls', 'inherit'),
    'Is it better than EA-KD and PKD?': ('inherit-ea-kd-ls', 'own-data'),
    'Does EA help KD+LS?': ('inherit-ea-kd-ls', 'inherit-kd-ls'),
    'Does PKD help EA-KD+LS?': ('inherit-ea-kd-ls-pkd', 'inherit-ea-kd-ls'),
    'Does KD+LS help with a larger gradient?': ('inherit-kd-ls-ratio', 'inherit'),
    'Is EA-KD+LS ten times as large, with PKD, better than EA-KD and PKD?': ('inherit-ea-kd-ls10-pkd', 'own-data'),
}

_pair = '../pairs/r18w32-r18w16_custom-small.py'
_inherit = {'model.inherit': ['backbone', 'neck', 'rpn_head', 'roi_head']}
_loss = 'model.distiller.distill_losses.loss_kd'
_standardized = {**_inherit, f'{_loss}.standardize': True, f'{_loss}.tau': 2.0}
arms = {
    'inherit-pkd': dict(title='without EA-KD: inheritance, PKD', config=f'{_pair}+pkd', options=_inherit),
    'inherit-kd-ls': dict(title='inheritance, KD+LS', config=f'{_pair}+kd-ls', options=_inherit),
    'inherit-ea-kd-ls': dict(title='inheritance, EA-KD+LS', config=f'{_pair}+ea-kd-ls', options=_inherit),
    'inherit-ea-kd-ls-pkd': dict(
        title='inheritance, EA-KD+LS, PKD', config=f'{_pair}+ea-kd-pkd', options=_standardized
    ),
    'inherit-ea-kd-ls10-pkd': dict(
        title='inheritance, EA-KD+LS with loss weight 10, PKD',
        config=f'{_pair}+ea-kd-pkd',
        options={**_standardized, f'{_loss}.loss_weight': 10.0},
    ),
    'inherit-kd-ls-ratio': dict(
        title='inheritance, KD+LS, gradient ratio 0.5',
        config=f'{_pair}+kd-ls',
        options={**_inherit, 'model.gradient_ratio.target': 0.5},
    ),
}

# Which sites of a dense detector EA-KD compares: thin GFL students as in demo_gfl.py, on other digit scenes, so that
# nothing is chosen on those.
_base_ = './demo_gfl.py'

title = 'Digit scenes, thin GFL: which sites are compared'
data = dict(seed=1)
control = 'ea-kd'
questions = {
    '_delete_': True,
    'Do sites with an object suffice?': ('ea-kd-objects', 'ea-kd'),
    'Do those around an object?': ('ea-kd-valuable', 'ea-kd'),
    'Do the 100 of which the teacher is surest?': ('ea-kd-100', 'ea-kd'),
}

_pair = '../pairs/gfl-r18w32-r18w16_demo.py'
_sites = 'model.distiller.distill_losses.loss_kd.sites'
_ea_kd = dict(config=f'{_pair}+ea-kd')
arms = {
    '_delete_': True,
    'student': dict(title='student', config='../dense/student_gfl_r18w16_fpn_demo.py'),
    'ea-kd': dict(title='EA-KD, all sites', **_ea_kd),
    'ea-kd-objects': dict(title='EA-KD, sites with an object', options={_sites: 'objects'}, **_ea_kd),
    'ea-kd-valuable': dict(title='EA-KD, the valuable region', options={_sites: 'valuable'}, **_ea_kd),
    'ea-kd-100': dict(title="EA-KD, the teacher's 100 surest sites of an image", options={_sites: 100}, **_ea_kd),
}

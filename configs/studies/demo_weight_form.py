# Form of the weight of KD (the paper's Tables 1 and 9) on the digit scenes: the entropy of teacher or student alone,
# the product, EA's weight, and their inverses (that of EA is not in the paper). The forms differ in size, so all
# weights have mean 1. The last arms are without normalisation, as in the paper. Other losses:
# demo_weight_form_losses.py.
_base_ = './_base_/demo.py'

title = 'Digit scenes: forms of the weight'

_ea = '../pairs/r18w32-r18w16_demo.py+ea-kd'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
_forms = {
    'h-teacher': ("teacher's entropy", 'teacher'),
    'h-student': ("student's entropy", 'student'),
    'interact': ('interact', 'interact'),
    'ea': ('ea', 'ea'),
    'inverse-h-teacher': ("inverse of the teacher's entropy", 'inverse-teacher'),
    'inverse-h-student': ("inverse of the student's entropy", 'inverse-student'),
    'inverse-ea': ('inverse of ea', 'inverse-ea'),
}
arms = {
    'kd': dict(title='KD', config='../pairs/r18w32-r18w16_demo.py+kd'),
    **{
        f'{_name}-mean1': dict(
            title=f'{_title}, mean 1',
            config=_ea,
            options={f'{_weighting}.mode': _mode, f'{_weighting}.normalize': True},
        )
        for _name, (_title, _mode) in _forms.items()
    },
    **{
        _name: dict(title=_title, config=_ea, options={f'{_weighting}.mode': _mode})
        for _name, (_title, _mode) in _forms.items()
    },
}

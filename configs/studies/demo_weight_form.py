# Form of the weight (the paper's Tables 1 and 9) on the digit scenes: the entropy of teacher or student alone, the
# product, EA's weight, and their inverses (that of EA is not in the paper). The forms differ in size, so all weights
# have mean 1. The last arms are without normalisation, as in the paper.
title = 'Digit scenes: forms of the weight'
data = dict(type='digit_scenes', num_train=1600, num_val=200, seed=0, digits_per_scene=(4, 9), digit_height=(22, 44))
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd'

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
    'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
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
del _ea, _weighting, _forms  # a plan contains only keys of the runner

# Which form of the weight? The teacher's entropy alone (base), the product (interact), their mean (ea), and the order
# turned round (inverse), on the digit scenes (the paper's Tables 1 and 9). All with weights of mean 1, for the forms
# differ in size; the paper does not normalise, which the last arms repeat.
title = 'Digit scenes: forms of the weight'
data = dict(type='digit_scenes', num_train=1600, num_val=200, seed=0, digits_per_scene=(4, 9), digit_height=(22, 44))
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd'

_ea = '../demo/ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
_normalized = {f'{_weighting}.normalize': True}
arms = {
    'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
    'kd': dict(title='KD', config='../demo/kd_faster-rcnn_r18w32-r18w16_fpn_demo.py'),
    'base-mean1': dict(title='base, mean 1', config=_ea, options={f'{_weighting}.mode': 'base', **_normalized}),
    'interact-mean1': dict(
        title='interact, mean 1', config=_ea, options={f'{_weighting}.mode': 'interact', **_normalized}
    ),
    'ea-mean1': dict(title='ea, mean 1', config=_ea, options={f'{_weighting}.mode': 'ea', **_normalized}),
    'inverse-mean1': dict(
        title='inverse, mean 1', config=_ea, options={f'{_weighting}.mode': 'inverse', **_normalized}
    ),
    'base': dict(title='base', config=_ea, options={f'{_weighting}.mode': 'base'}),
    'interact': dict(title='interact', config=_ea, options={f'{_weighting}.mode': 'interact'}),
    'ea': dict(title='ea', config=_ea, options={f'{_weighting}.mode': 'ea'}),
}
del _ea, _weighting, _normalized  # a plan has no other keys than the runner's

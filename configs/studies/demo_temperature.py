# Temperature T' of the entropies (the paper's Table 8): EA-KD on the digit scenes at five values, as published and with
# weights of mean 1, which separates selection from a loss that grows with T'.
title = "Digit scenes: EA-KD against T'"
data = dict(type='digit_scenes', num_train=1600, num_val=200, seed=0, digits_per_scene=(4, 9), digit_height=(22, 44))
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd'

_ea = '../pairs/r18w32-r18w16_demo.py+ea-kd'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
arms = {
    'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
    'kd': dict(title='KD', config='../pairs/r18w32-r18w16_demo.py+kd'),
    'tau1': dict(title="EA-KD, T'=1", config=_ea, options={f'{_weighting}.tau': 1.0}),
    'tau1-5': dict(title="EA-KD, T'=1.5", config=_ea, options={f'{_weighting}.tau': 1.5}),
    'tau2': dict(title="EA-KD, T'=2", config=_ea, options={f'{_weighting}.tau': 2.0}),
    'tau3': dict(title="EA-KD, T'=3", config=_ea, options={f'{_weighting}.tau': 3.0}),
    'tau4': dict(title="EA-KD, T'=4", config=_ea, options={f'{_weighting}.tau': 4.0}),
    'tau1-mean1': dict(
        title="EA-KD, T'=1, mean 1", config=_ea, options={f'{_weighting}.tau': 1.0, f'{_weighting}.normalize': True}
    ),
    'tau2-mean1': dict(
        title="EA-KD, T'=2, mean 1", config=_ea, options={f'{_weighting}.tau': 2.0, f'{_weighting}.normalize': True}
    ),
    'tau3-mean1': dict(
        title="EA-KD, T'=3, mean 1", config=_ea, options={f'{_weighting}.tau': 3.0, f'{_weighting}.normalize': True}
    ),
}
del _ea, _weighting  # a plan contains only keys of the runner

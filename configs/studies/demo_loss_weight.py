# Size of the distillation loss: KD and EA-KD on the digit scenes, with five loss weights each (the paper's beta, Fig.
# 8). EA-KD's weights have mean 1, so that both losses are of equal size for equal beta.
title = 'Digit scenes: KD and EA-KD against the loss weight (beta)'
data = dict(type='digit_scenes', num_train=1600, num_val=200, seed=0, digits_per_scene=(4, 9), digit_height=(22, 44))
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd-beta1'

_kd = '../pairs/r18w32-r18w16_demo.py+kd'
_ea = '../pairs/r18w32-r18w16_demo.py+ea-kd'
_loss = 'model.distiller.distill_losses.loss_kd'
_normalized = {f'{_loss}.weighting.normalize': True}
arms = {
    'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
    'kd-beta0-5': dict(title='KD, beta 0.5', config=_kd, options={f'{_loss}.loss_weight': 0.5}),
    'kd-beta1': dict(title='KD, beta 1', config=_kd, options={f'{_loss}.loss_weight': 1.0}),
    'kd-beta2': dict(title='KD, beta 2', config=_kd, options={f'{_loss}.loss_weight': 2.0}),
    'kd-beta4': dict(title='KD, beta 4', config=_kd, options={f'{_loss}.loss_weight': 4.0}),
    'kd-beta8': dict(title='KD, beta 8', config=_kd, options={f'{_loss}.loss_weight': 8.0}),
    'ea-beta0-5': dict(title='EA-KD, beta 0.5', config=_ea, options={f'{_loss}.loss_weight': 0.5, **_normalized}),
    'ea-beta1': dict(title='EA-KD, beta 1', config=_ea, options={f'{_loss}.loss_weight': 1.0, **_normalized}),
    'ea-beta2': dict(title='EA-KD, beta 2', config=_ea, options={f'{_loss}.loss_weight': 2.0, **_normalized}),
    'ea-beta4': dict(title='EA-KD, beta 4', config=_ea, options={f'{_loss}.loss_weight': 4.0, **_normalized}),
    'ea-beta8': dict(title='EA-KD, beta 8', config=_ea, options={f'{_loss}.loss_weight': 8.0, **_normalized}),
}
del _ea, _kd, _loss, _normalized  # a plan contains only keys of the runner

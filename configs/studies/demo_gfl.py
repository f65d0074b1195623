# Entropy weighting of a dense detector and its controls on the digit scenes: thin GFL students with 220 iterations.
title = 'Digit scenes, thin GFL: entropy-weighted distillation and its controls'
data = dict(type='digit_scenes', num_train=2000, num_val=250, seed=0)
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../dense/teacher_gfl_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd'
questions = {
    'Does distillation help?': ('kd', 'student'),
    "Does EA's mean weight help?": ('kd-matched', 'kd'),
    'Does selection help?': ('ea-kd', 'kd-matched'),
    "Does it with KD's mean weight?": ('ea-kd-mean1', 'kd'),
    'Does the opposite choice help more?': ('kd-confident', 'ea-kd-mean1'),
    'Does EA help CrossKD?': ('ea-crosskd', 'crosskd'),
    'Does EA-KD help PKD?': ('ea-kd-pkd', 'pkd'),
}

_pair = '../pairs/gfl-r18w32-r18w16_demo.py'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
arms = {
    'student': dict(title='student', config='../dense/student_gfl_r18w16_fpn_demo.py'),
    'kd': dict(title='KD', config=f'{_pair}+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=1)", config=f'{_pair}+kd-matched'),
    'ea-kd': dict(title="EA-KD (T'=1)", config=f'{_pair}+ea-kd'),
    'ea-kd-mean1': dict(
        title="EA-KD (T'=1), weights of mean 1", config=f'{_pair}+ea-kd', options={f'{_weighting}.normalize': True}
    ),
    'kd-confident': dict(
        title="KD, the teacher's surest sites first, weights of mean 1", config=f'{_pair}+kd-confident'
    ),
    'crosskd': dict(title="CrossKD's loss", config=f'{_pair}+crosskd'),
    'ea-crosskd': dict(title="CrossKD's loss, EA weights (T'=1)", config=f'{_pair}+ea-crosskd'),
    'pkd': dict(title='PKD', config=f'{_pair}+pkd'),
    'ea-kd-pkd': dict(title="EA-KD (T'=1) and PKD", config=f'{_pair}+ea-kd-pkd'),
}

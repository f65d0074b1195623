# Length of the training: plain student, logits, features and both with once, three and ten times the demo's 220
# iterations, on scenes in other sizes, parts and colours, which both networks see alike, with the packaged teacher.
# Only arms of equal length are comparable. Long teaching is known to pay most (Beyer et al., CVPR 2022).
_base_ = './_base_/demo.py'

title = 'Digit scenes: logits and features against the number of iterations'
teacher = dict(_delete_=True, checkpoint='zoo://demo-teacher')
seeds = (0, 1)
options = {
    'train_dataloader.dataset.pipeline': [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='RandomResize', scale=(128, 128), ratio_range=(0.7, 1.5), keep_ratio=True),
        dict(type='RandomCrop', crop_type='absolute', crop_size=(128, 128), allow_negative_crop=True),
        dict(type='PhotoMetricDistortion'),
        dict(type='PackDetInputs'),
    ],
}

_pair = '../pairs/r18w32-r18w16_demo.py'
_configs = {
    'student': ('student', '../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
    'kd': ('KD', f'{_pair}+kd'),
    'ea-kd': ('EA-KD', f'{_pair}+ea-kd'),
    'pkd': ('PKD', f'{_pair}+pkd'),
    'ea-kd-pkd': ('EA-KD and PKD', f'{_pair}+ea-kd-pkd'),
}
_lengths = {'': 220, '-660': 660, '-2200': 2200}  # the demo's own length has no suffix
arms = {
    f'{_name}{_suffix}': dict(
        title=f'{_title}, {_iters} iterations',
        config=_config,
        options={
            'train_cfg.max_iters': _iters,
            'train_cfg.val_interval': _iters,
            'param_scheduler.1.end': _iters,
            'param_scheduler.1.T_max': _iters - 50,
            'default_hooks.checkpoint.interval': _iters,
        },
    )
    for _suffix, _iters in _lengths.items()
    for _name, (_title, _config) in _configs.items()
}
arms['ea-kd-pkd-660-half'] = dict(
    title='EA-KD and PKD for the first half of 660 iterations',
    config=f'{_pair}+ea-kd-pkd',
    options={
        **arms['ea-kd-pkd-660']['options'],
        'default_hooks.stop_distillation.type': 'eakd_det.StopDistillationHook',
        'default_hooks.stop_distillation.at': 0.5,
    },
)
arms['_delete_'] = True
questions = {
    f'What does teaching by {_title} give, {_iters} iterations?': (f'{_name}{_suffix}', f'student{_suffix}')
    for _suffix, _iters in _lengths.items()
    for _name, (_title, _config) in _configs.items()
    if _name != 'student'
}
questions['Does it help to stop teaching after half of 660?'] = ('ea-kd-pkd-660-half', 'ea-kd-pkd-660')

# Length of the training (the grid of epochs in the paper's supplement): plain student, KD and EA-KD with half, once,
# twice and four times the demo's 220 iterations. Only arms of equal length are comparable.
_base_ = './_base_/demo.py'

title = 'Digit scenes: KD and EA-KD against the number of iterations'
student = 'student'
control = 'kd'

_configs = {
    'student': '../demo/student_faster-rcnn_r18w16_fpn_demo.py',
    'kd': '../pairs/r18w32-r18w16_demo.py+kd',
    'ea-kd': '../pairs/r18w32-r18w16_demo.py+ea-kd',
}
_lengths = {'-110': 110, '': 220, '-440': 440, '-880': 880}  # the demo's own length has no suffix
arms = {
    f'{_name}{_suffix}': dict(
        title=f'{_name.upper() if "kd" in _name else _name}, {_iters} iterations',
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
    for _name, _config in _configs.items()
}
arms['_delete_'] = True
questions = {
    **{
        f'Does KD help, {_iters} iterations?': (f'kd{_suffix}', f'student{_suffix}')
        for _suffix, _iters in _lengths.items()
    },
    **{
        f'Does EA help KD, {_iters} iterations?': (f'ea-kd{_suffix}', f'kd{_suffix}')
        for _suffix, _iters in _lengths.items()
    },
}

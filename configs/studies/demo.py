# Entropy weighting and its controls on the digit scenes. Scenes, schedules and the pyramid without BatchNorm are those
# of the original study; `make demo` has since become shorter.
title = 'Digit scenes: entropy-weighted distillation and its controls'
data = dict(type='digit_scenes', num_train=2000, num_val=250, seed=0)
seeds = (0, 1, 2, 3, 4)
options = {
    'train_cfg.max_iters': 300,
    'train_cfg.val_interval': 300,
    'param_scheduler.1.end': 300,
    'param_scheduler.1.T_max': 250,
    'default_hooks.checkpoint.interval': 300,
}
teacher = dict(
    config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py',
    options={
        'train_cfg.max_iters': 650,
        'train_cfg.val_interval': 650,
        'param_scheduler.1.end': 650,
        'param_scheduler.1.T_max': 600,
        'default_hooks.checkpoint.interval': 650,
        'model.neck.norm_cfg': None,
    },
    seed=0,
)
student = 'student'
control = 'kd'
questions = {
    'Does distillation help?': ('kd', 'student'),
    "Does EA's mean weight help?": ('kd-matched', 'kd'),
    'Does selection help, as published?': ('ea-kd', 'kd-matched'),
    'Does it beside as large a loss?': ('ea-kd', 'kd-strong'),
    "Does it with KD's mean weight?": ('ea-kd-mean1', 'kd'),
    "Does it with KD's mean weight and T'=1?": ('ea-kd-t1-mean1', 'kd'),
    'Does it matter which are heavy, in losses of like size?': ('ea-kd-t1', 'ea-kd-inverse'),
    'Does less weight on background help?': ('kd-matched-groups', 'kd-matched'),
    'Does selection help beyond that?': ('ea-kd', 'kd-matched-groups'),
    'Does EA help DKD?': ('ea-dkd', 'dkd'),
    'Does EA help KD+LS?': ('ea-kd-ls', 'kd-ls'),
    'Does EA help ReviewKD?': ('ea-review-kd', 'review-kd'),
}

# Keys with dots are those of --cfg-options.
arms = {
    'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py'),
    'kd': dict(title='KD', config='../pairs/r18w32-r18w16_demo.py+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=3)", config='../pairs/r18w32-r18w16_demo.py+kd-matched'),
    'kd-matched-groups': dict(
        title="KD, mean weights of EA (T'=3) for background and the rest",
        config='../pairs/r18w32-r18w16_demo.py+kd-matched',
        options={'model.distiller.distill_losses.loss_kd.weighting.by_background': True},
    ),
    # Makes the loss as large as that of EA-KD, which exceeds the loss at its mean weight.
    'kd-strong': dict(
        title='KD, loss weight 1.8',
        config='../pairs/r18w32-r18w16_demo.py+kd',
        options={'model.distiller.distill_losses.loss_kd.loss_weight': 1.8},
    ),
    'ea-kd': dict(title="EA-KD (T'=3)", config='../pairs/r18w32-r18w16_demo.py+ea-kd'),
    'ea-kd-t1': dict(
        title="EA-KD (T'=1)",
        config='../pairs/r18w32-r18w16_demo.py+ea-kd',
        options={'model.distiller.distill_losses.loss_kd.weighting.tau': 1.0},
    ),
    'ea-kd-mean1': dict(
        title="EA-KD (T'=3), weights of mean 1",
        config='../pairs/r18w32-r18w16_demo.py+ea-kd',
        options={'model.distiller.distill_losses.loss_kd.weighting.normalize': True},
    ),
    'ea-kd-t1-mean1': dict(
        title="EA-KD (T'=1), weights of mean 1",
        config='../pairs/r18w32-r18w16_demo.py+ea-kd',
        options={
            'model.distiller.distill_losses.loss_kd.weighting.tau': 1.0,
            'model.distiller.distill_losses.loss_kd.weighting.normalize': True,
        },
    ),
    'ea-kd-inverse': dict(
        title="KD, inverse EA weights (T'=3)",
        config='../pairs/r18w32-r18w16_demo.py+ea-kd',
        options={'model.distiller.distill_losses.loss_kd.weighting.mode': 'inverse-ea'},
    ),
    'dkd': dict(title='DKD', config='../pairs/r18w32-r18w16_demo.py+dkd'),
    'ea-dkd': dict(title="EA-DKD (T'=3)", config='../pairs/r18w32-r18w16_demo.py+ea-dkd'),
    'kd-ls': dict(title='KD+LS', config='../pairs/r18w32-r18w16_demo.py+kd-ls'),
    'ea-kd-ls': dict(title="EA-KD+LS (T'=3)", config='../pairs/r18w32-r18w16_demo.py+ea-kd-ls'),
    'review-kd': dict(title='ReviewKD', config='../pairs/r18w32-r18w16_demo.py+review-kd'),
    'ea-review-kd': dict(
        title="EA-ReviewKD (T'=3)",
        config='../pairs/r18w32-r18w16_demo.py+ea-review-kd',
    ),
}

_student = {'model.neck.norm_cfg': None}
_distilled = {'model.architecture.neck.norm_cfg': None, 'model.teacher.neck.norm_cfg': None}
arms = {
    name: {**arm, 'options': {**(_student if name == 'student' else _distilled), **arm.get('options', {})}}
    for name, arm in arms.items()
}

# Entropy weighting and its controls on blood cells. Students are MobileNetV2 from ImageNet with 75 iterations, the
# teacher is a MobileNetV2 with 450. The data is expected in data/bccd; --cfg-options data_root=FOLDER sets another
# folder. Offline, set MOBILENETV2=path/to/weights.pth in the environment for the ImageNet weights.
title = 'Blood cells, MobileNetV2: entropy-weighted distillation and its controls'
seeds = (0, 1, 2, 3, 4)
options = {
    'train_cfg.max_iters': 75,
    'train_cfg.val_interval': 75,
    'param_scheduler.1.end': 75,
    'param_scheduler.1.T_max': 60,
    'default_hooks.checkpoint.interval': 75,
}
teacher = dict(
    config='../bccd/teacher_faster-rcnn_mv2_fpn_bccd.py',
    options={
        'train_cfg.max_iters': 450,
        'train_cfg.val_interval': 450,
        'param_scheduler.1.end': 450,
        'param_scheduler.1.T_max': 405,
        'default_hooks.checkpoint.interval': 450,
    },
    seed=0,
)
student = 'student'
control = 'kd'
questions = {
    'Does distillation help?': ('kd', 'student'),
    "Does EA's mean weight help?": ('kd-matched', 'kd'),
    'Does selection help, as published?': ('ea-kd', 'kd-matched'),
    'Does less weight on background help?': ('kd-matched-groups', 'kd-matched'),
    'Does selection help beyond that?': ('ea-kd', 'kd-matched-groups'),
}

_ea = '../pairs/mv2-mv2_bccd.py+ea-kd'
arms = {
    'student': dict(title='student', config='../bccd/student_faster-rcnn_mv2_fpn_bccd.py'),
    'kd': dict(title='KD', config='../pairs/mv2-mv2_bccd.py+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=3)", config='../pairs/mv2-mv2_bccd.py+kd-matched'),
    'kd-matched-groups': dict(
        title="KD, mean weights of EA (T'=3) for background and the rest",
        config='../pairs/mv2-mv2_bccd.py+kd-matched',
        options={'model.distiller.distill_losses.loss_kd.weighting.by_background': True},
    ),
    'ea-kd': dict(title="EA-KD (T'=3)", config=_ea),
}

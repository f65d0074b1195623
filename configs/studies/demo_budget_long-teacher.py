# As demo_budget.py, with a teacher that sees the same views for as many iterations as the longest student, so that no
# student passes it.
_base_ = './demo_budget.py'

title = 'Digit scenes: the number of iterations with a teacher trained for 2,200'
teacher = dict(
    _delete_=True,
    config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py',
    seed=0,
    options={
        'train_cfg.max_iters': 2200,
        'train_cfg.val_interval': 2200,
        'param_scheduler.1.end': 2200,
        'param_scheduler.1.T_max': 2150,
        'default_hooks.checkpoint.interval': 550,
    },
)

# Iteration-based runtime: log every 50 iterations, validate and save by iteration, keep the best checkpoint by AP.
_base_ = 'mmdet::_base_/default_runtime.py'

default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(
        by_epoch=False,
        interval=10000,
        max_keep_ckpts=3,
        save_best='coco/bbox_mAP',
        rule='greater',
    ),
)
log_processor = dict(by_epoch=False)

custom_hooks = [
    dict(type='eakd_det.ClassCheckHook'),
    dict(type='eakd_det.NonFiniteLossHook', policy='stop'),
    dict(type='eakd_det.CocoEvalHook'),
]

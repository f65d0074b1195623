# The plain student: RTMDet-tiny, 300 epochs, 256 images in all (8 GPUs with 32 images each; `--auto-scale-lr`
# otherwise). Box AP 40.9 in MMDetection's model zoo.
_base_ = ['mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py', '../_base_/loss_options_dense.py']

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='eakd_det.ClassCheckHook'),
    dict(type='eakd_det.NonFiniteLossHook', policy='stop'),
    dict(type='eakd_det.CocoEvalHook'),
]

# The widths of the pyramids.
loss_options = dict(
    loss_cross=dict(student_channels=96, teacher_channels=256, num_levels=3),
    loss_pkd=dict(num_levels=3),
    loss_fgd=dict(student_channels=96, teacher_channels=256, num_levels=3),
)

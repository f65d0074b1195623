# The plain student: YOLOX-s, 300 epochs, 64 images in all (8 GPUs with 8 images each; `--auto-scale-lr` otherwise).
# Box AP 40.5 in MMDetection's model zoo.
_base_ = ['mmdet::yolox/yolox_s_8xb8-300e_coco.py', '../_base_/loss_options_dense.py']

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='eakd_det.ClassCheckHook'),
    dict(type='eakd_det.NonFiniteLossHook', policy='stop'),
    dict(type='eakd_det.CocoEvalHook'),
]

# The widths of the pyramids; FGD's weights as in its code.
loss_options = dict(
    loss_cross=dict(student_channels=128, teacher_channels=256, num_levels=3),
    loss_fgd=dict(
        foreground_weight=2e-3,
        background_weight=1e-3,
        attention_weight=1e-3,
        relation_weight=1e-5,
        student_channels=128,
        teacher_channels=256,
        num_levels=3,
    ),
    loss_pkd=dict(num_levels=3),
)

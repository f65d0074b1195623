# DKD+ReviewKD: the plain sum of both losses. Widths and levels are those of the demo's pyramids.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_dkd=dict(
                type='eakd_det.DKDLoss',
                tau=1.0,
                alpha=1.0,
                beta=0.25,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
            loss_review=dict(
                type='eakd_det.ReviewKDLoss',
                student_channels=32,
                teacher_channels=64,
                mid_channels=64,
                num_levels=4,
                loss_weight=1.2,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

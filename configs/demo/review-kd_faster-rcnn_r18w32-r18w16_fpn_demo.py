# ReviewKD: each pyramid level of the teacher, from that level and all coarser ones of the student. Widths and levels
# are those of the demo's pyramids.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
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

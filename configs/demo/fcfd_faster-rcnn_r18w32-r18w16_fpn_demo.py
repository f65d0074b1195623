# FCFD: features are alike if the other network's head understands them. Widths and levels are those of the demo's
# pyramids.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_fcfd=dict(
                type='eakd_det.FCFDLoss',
                student_channels=32,
                teacher_channels=64,
                num_levels=4,
                tau=1.0,
                box_weight=1.0,
                feature_weight=1.0,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

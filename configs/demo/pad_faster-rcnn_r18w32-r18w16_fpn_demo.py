# PAD: squared error of RoI embeddings at a variance the student predicts. Its detection set-up was not to be found;
# in one stage, as in the published run for ImageNet.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_pad=dict(
                type='eakd_det.PADLoss',
                student_channels=256,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

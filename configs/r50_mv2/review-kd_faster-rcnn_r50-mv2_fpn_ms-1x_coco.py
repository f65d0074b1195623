# ReviewKD: each pyramid level of the teacher, from that level and all coarser ones of the student.
_base_ = '../_base_/distill_r50-mv2_coco.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_review=dict(
                type='eakd_det.ReviewKDLoss',
                loss_weight=2.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

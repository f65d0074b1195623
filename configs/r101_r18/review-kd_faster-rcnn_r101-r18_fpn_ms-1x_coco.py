# ReviewKD: each pyramid level of the teacher, from that level and all coarser ones of the student.
_base_ = '../_base_/distill_r101-r18_coco.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_review=dict(
                type='eakd_det.ReviewKDLoss',
                loss_weight=1.2,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

# EA-ReviewKD: ReviewKD in which each image weighs by the mean EA weight of its proposals (our reading, see
# docs/methods.md).
_base_ = '../_base_/distill_r101-r18_coco.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_review=dict(
                type='eakd_det.ReviewKDLoss',
                loss_weight=1.2,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

# ReviewKD++: ReviewKD, and RoI embeddings that point to the teacher's mean of their class. 1.2 and 1.5 are published
# for R18.
_base_ = './review-kd.py'

distiller = dict(
    distill_losses=dict(
        loss_nd=dict(
            type='eakd_det.NormDirectionLoss',
            loss_weight=1.5,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

# KD++: KD, and RoI embeddings that point to the teacher's mean of their class. 1.5 is published for R18, 1.0 for R50
# and MobileNetV2; the widths of the embeddings are in the pair's loss_options.
_base_ = './kd.py'

distiller = dict(
    distill_losses=dict(
        loss_nd=dict(
            type='eakd_det.NormDirectionLoss',
            loss_weight=1.5,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

# EA-FCFD: FCFD in which each proposal, and the features of each image, weigh by entropies (see docs/methods.md).
_base_ = '../_base_/distill_r101-r18_coco.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_fcfd=dict(
                type='eakd_det.FCFDLoss',
                tau=1.0,
                box_weight=1.0,
                feature_weight=1.0,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

# EA-DKD: DKD in which each proposal weighs by the entropies of teacher and student.
_base_ = '../_base_/distill_mv2-r18w16_bccd.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_dkd=dict(
                type='eakd_det.DKDLoss',
                tau=1.0,
                alpha=1.0,
                beta=0.25,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

# WTTM: TTM in which each proposal weighs by the power sum of the teacher's distribution. Nothing is published for
# detection; T = 2 is gamma = 0.5 in the paper.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_ttm=dict(
                type='eakd_det.TTMLoss',
                tau=2.0,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.PowerSumWeighting', tau=2.0),
            ),
        ),
    ),
)

# EA-JSD: Jensen-Shannon divergence, each proposal with its EA weight (our reading).
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_jsd=dict(
                type='eakd_det.JSDLoss',
                tau=1.0,
                teacher_share=0.5,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

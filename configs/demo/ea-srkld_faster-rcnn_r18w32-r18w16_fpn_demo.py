# EA-SRKLD: KL divergence from the student to a mixture of both, each proposal with its EA weight (our reading).
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_srkld=dict(
                type='eakd_det.SRKLDLoss',
                tau=1.0,
                alpha=0.1,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0),
            ),
        ),
    ),
)

# SKLD: KL divergence from the teacher to a mixture of both. From language models; per proposal is our reading.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_skld=dict(
                type='eakd_det.SKLDLoss',
                tau=1.0,
                alpha=0.1,
                loss_weight=1.0,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

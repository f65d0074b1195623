# MLD+LS: MLD with standardised logits in the proposals' divergence; 2 twice is as published. Nothing is published for
# detection; with weight 0.2 five temperatures count as one.
_base_ = '../_base_/distill_r18w32-r18w16_demo.py'

model = dict(
    distiller=dict(
        distill_losses=dict(
            loss_mld=dict(
                type='eakd_det.MLDLoss',
                temperatures=(2.0, 3.0, 5.0, 2.0, 6.0),
                gram='mean',
                standardize=True,
                loss_weight=0.2,
                weighting=dict(type='eakd_det.UniformWeighting'),
            ),
        ),
    ),
)

# MLD: proposals, their Gram matrix and that of the classes, each at five temperatures. Nothing is published for
# detection; with weight 0.2, five temperatures count as one.
distiller = dict(
    distill_losses=dict(
        loss_mld=dict(
            type='eakd_det.MLDLoss',
            temperatures=(4.0, 3.0, 5.0, 2.0, 6.0),
            gram='mean',
            loss_weight=0.2,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

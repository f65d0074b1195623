# MLD: divergence of the proposals and squared errors of the Gram matrices of proposals and classes, at five
# temperatures. Nothing is published for detection; the weight of 0.2 averages over the temperatures.
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

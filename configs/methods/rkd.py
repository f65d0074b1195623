# RKD: distances and angles among the RoI embeddings. 25 and 50 are published for CIFAR-100; nothing for detection.
distiller = dict(
    distill_losses=dict(
        loss_rkd=dict(
            type='eakd_det.RKDLoss',
            distance_weight=25.0,
            angle_weight=50.0,
            angle_sites=64,
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

# CRD: each proposal's embedding is told from those of other classes in the batch. 0.8 and 0.07 are published for
# CIFAR-100; nothing for detection. The widths of the embeddings are in the pair's loss_options.
distiller = dict(
    distill_losses=dict(
        loss_crd=dict(
            type='eakd_det.CRDLoss',
            embed_channels=128,
            tau=0.07,
            loss_weight=0.8,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

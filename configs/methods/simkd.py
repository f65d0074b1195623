# SimKD: the student's embeddings are to be the teacher's, whose classifier it takes over, frozen, instead of learning
# one. The embeddings of both must be equally wide. The boxes are learned as ever.
distiller = dict(
    distill_losses=dict(
        loss_simkd=dict(
            type='eakd_det.EmbeddingLoss',
            loss_weight=1.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

model = dict(inherit=['roi_head'], architecture=dict(roi_head=dict(bbox_head=dict(loss_cls=dict(loss_weight=0.0)))))
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'bbox_head.fc_cls': dict(lr_mult=0.0)}))

# PKD: the correlation of all levels of both pyramids, whose widths must be equal. MMRazor's loss and weight.
distiller = dict(
    distill_losses=dict(loss_pkd=dict(type='mmrazor.PKDLoss', loss_weight=6.0)),
    loss_forward_mappings=dict(
        loss_pkd=dict(
            preds_S=dict(recorder='neck_features', from_student=True),
            preds_T=dict(recorder='neck_features', from_student=False),
        )
    ),
)

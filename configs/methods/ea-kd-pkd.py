# EA-KD + PKD: class logits with each proposal weighted by the entropies, and the pyramid's levels as in pkd.py.
_base_ = './ea-kd.py'

distiller = dict(
    distill_losses=dict(
        loss_pkd=dict(
            type='eakd_det.PKDLoss',
            loss_weight=6.0,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

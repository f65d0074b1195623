# EA-KD + FGD: class logits with each proposal weighted by the entropies, and the pyramid's levels as in fgd.py.
_base_ = './ea-kd.py'

distiller = dict(
    distill_losses=dict(
        loss_fgd=dict(
            type='eakd_det.FGDLoss',
            foreground_weight=5e-5,
            background_weight=2.5e-5,
            attention_weight=5e-5,
            relation_weight=5e-7,
            tau=0.5,
            weighting=dict(type='eakd_det.UniformWeighting'),
        ),
    ),
)

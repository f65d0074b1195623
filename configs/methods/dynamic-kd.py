# DynamicKD: KD of the tenth of the proposals on which the student is most uncertain.
_base_ = './kd.py'

distiller = dict(
    distill_losses=dict(
        loss_kd=dict(weighting=dict(type='eakd_det.HardProposalWeighting', side='student', quantile=0.9))
    )
)

# EA-DKD: DKD with each proposal weighted by the entropies of teacher and student.
_base_ = './dkd.py'

distiller = dict(distill_losses=dict(loss_dkd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

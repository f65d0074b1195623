# EA-KD: KD with each proposal weighted by the entropies of teacher and student.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

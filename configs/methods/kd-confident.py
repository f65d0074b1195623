# The control for EA-KD that makes the opposite choice: the surest site of the teacher counts most; weights of mean 1.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.ConfidenceWeighting', normalize=True))))

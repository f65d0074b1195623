# The control for EA-KD: all proposals have the batch mean of the EA weights, without selection.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.MeanMatchedWeighting', tau=3.0))))

# The control for EA-KD: every proposal gets the batch mean of the EA weights, so that nothing is selected.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.MeanMatchedWeighting', tau=3.0))))

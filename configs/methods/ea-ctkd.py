# EA-CTKD: KD at a learned temperature; the entropies of the weights have a fixed one.
_base_ = './ctkd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))))

# EA-LD: LD in which each side of a box has EA-KD's weight, from the entropies of its own bins.
_base_ = './ld.py'

_ea = dict(weigh_by='bins', weighting=dict(_delete_=True, type='eakd_det.EntropyWeighting', tau=3.0))
distiller = dict(distill_losses=dict(loss_ld=_ea, loss_ld_valuable=_ea))

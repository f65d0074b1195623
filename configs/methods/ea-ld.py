# EA-LD: LD in which each side of a box has EA-KD's weight, from the entropies of its own bins. These weights are far
# larger than the student's scores, so the sum is divided by the number of sites with an object.
_base_ = './ld.py'

_ea = dict(type='eakd_det.EntropyWeighting', tau=3.0)
distiller = dict(
    distill_losses=dict(
        loss_ld=dict(reduction='objects', weigh_by='bins', weighting=dict(_delete_=True, **_ea)),
        loss_ld_valuable=dict(reduction='objects', weigh_by='bins', weighting=_ea),
    )
)

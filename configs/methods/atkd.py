# ATKD: temperatures with which both outputs are equally sharp, up to the second order: the standard deviations of the
# logits. That is logit standardisation at temperature 1.
_base_ = './kd.py'

distiller = dict(distill_losses=dict(loss_kd=dict(standardize='population')))

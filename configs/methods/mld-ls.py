# MLD+LS: MLD with standardised logits in the divergence of the proposals. The published temperatures contain 2 twice.
_base_ = './mld.py'

distiller = dict(distill_losses=dict(loss_mld=dict(temperatures=(2.0, 3.0, 5.0, 2.0, 6.0), standardize=True)))

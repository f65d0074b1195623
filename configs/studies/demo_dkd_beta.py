# DKD and EA-DKD against beta, the weight of the divergence among the other classes, and the variance of AP over beta
# (the paper's Fig. 8). 0.25 is the papers' beta for detection. EA-DKD as published has a larger loss; with weights of
# mean 1 it differs from DKD in the selection alone.
_base_ = './_base_/demo.py'

title = 'Digit scenes: DKD and EA-DKD against beta'
control = 'dkd-beta0-25'

_pair = '../pairs/r18w32-r18w16_demo.py'
_loss = 'model.distiller.distill_losses.loss_dkd'
_betas = {'0-25': 0.25, '0-5': 0.5, '1': 1.0, '2': 2.0, '4': 4.0, '8': 8.0}
_forms = {
    'dkd': ('DKD', 'dkd', {}),
    'ea-dkd': ('EA-DKD', 'ea-dkd', {}),
    'ea-dkd-mean1': ('EA-DKD, mean 1', 'ea-dkd', {f'{_loss}.weighting.normalize': True}),
}
arms = {
    f'{_form}-beta{_name}': dict(
        title=f'{_title}, beta {_beta:g}', config=f'{_pair}+{_method}', options={f'{_loss}.beta': _beta, **_options}
    )
    for _form, (_title, _method, _options) in _forms.items()
    for _name, _beta in _betas.items()
}
sweeps = {
    f'{_title}, beta 0.25 to 8': [f'{_form}-beta{_name}' for _name in _betas]
    for _form, (_title, _method, _options) in _forms.items()
}

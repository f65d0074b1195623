# Logit standardisation against the loss weight and the base temperature (LS, Table 4): logits as they are, centred,
# scaled, and standardised. A softmax ignores shifts, so centred logits have the loss of the plain ones and scaled
# logits that of the standardised ones (tests/test_configs/test_studies.py): two columns of the four are arms here.
_base_ = './_base_/demo.py'

title = 'Digit scenes: KD and KD+LS against loss weight and base temperature'
control = 'kd-weight0-9'

_pair = '../pairs/r18w32-r18w16_demo.py'
_loss = 'model.distiller.distill_losses.loss_kd'
_weights = {'0-9': 0.9, '3': 3.0, '6': 6.0, '9': 9.0, '12': 12.0, '15': 15.0, '18': 18.0}
_taus = (1, 2, 3, 4)
_columns = {'kd': 'z or z - mean', 'kd-ls': 'z / std or (z - mean) / std'}
arms = {
    **{
        f'{_method}-weight{_name}': dict(
            title=f'{_title}, weight {_weight:g}',
            config=f'{_pair}+{_method}',
            options={f'{_loss}.tau': 2.0, f'{_loss}.loss_weight': _weight},
        )
        for _method, _title in _columns.items()
        for _name, _weight in _weights.items()
    },
    **{
        f'kd-ls-tau{_tau}': dict(
            title=f'KD+LS, base temperature {_tau}',
            config=f'{_pair}+kd-ls',
            options={f'{_loss}.tau': float(_tau), f'{_loss}.loss_weight': 9.0},
        )
        for _tau in _taus
        if _tau != 2  # is kd-ls-weight9
    },
}
questions = {
    f'Does LS help, weight {_weight:g}?': (f'kd-ls-weight{_name}', f'kd-weight{_name}')
    for _name, _weight in _weights.items()
}
sweeps = {
    **{
        f'{_title}, weight 0.9 to 18': [f'{_method}-weight{_name}' for _name in _weights]
        for _method, _title in _columns.items()
    },
    'KD+LS, base temperature 1 to 4': ['kd-ls-tau1', 'kd-ls-weight9', 'kd-ls-tau3', 'kd-ls-tau4'],
}

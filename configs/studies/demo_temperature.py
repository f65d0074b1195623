# Temperature T' of the entropies (the paper's Table 8, which has 2, 3 and 4): EA-KD on the digit scenes at five values,
# as published and with weights of mean 1, which separates selection from a loss that grows with T'.
_base_ = './_base_/demo.py'

title = "Digit scenes: EA-KD against T'"

_pair = '../pairs/r18w32-r18w16_demo.py'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
_taus = {'1': 1.0, '1-5': 1.5, '2': 2.0, '3': 3.0, '4': 4.0}
arms = {
    'kd': dict(title='KD', config=f'{_pair}+kd'),
    **{
        f'tau{_name}': dict(title=f"EA-KD, T'={_tau:g}", config=f'{_pair}+ea-kd', options={f'{_weighting}.tau': _tau})
        for _name, _tau in _taus.items()
    },
    **{
        f'tau{_name}-mean1': dict(
            title=f"EA-KD, T'={_tau:g}, mean 1",
            config=f'{_pair}+ea-kd',
            options={f'{_weighting}.tau': _tau, f'{_weighting}.normalize': True},
        )
        for _name, _tau in _taus.items()
    },
}
sweeps = {
    "EA-KD, T' 1 to 4": [f'tau{_name}' for _name in _taus],
    "EA-KD, T' 1 to 4, mean 1": [f'tau{_name}-mean1' for _name in _taus],
}

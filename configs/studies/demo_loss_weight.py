# Size of the distillation loss: KD and EA-KD on the digit scenes, with five loss weights each. EA-KD's weights have
# mean 1, so that both losses are of equal size for equal weight.
_base_ = './_base_/demo.py'

title = 'Digit scenes: KD and EA-KD against the loss weight'
control = 'kd-weight1'

_pair = '../pairs/r18w32-r18w16_demo.py'
_loss = 'model.distiller.distill_losses.loss_kd'
_weights = {'0-5': 0.5, '1': 1.0, '2': 2.0, '4': 4.0, '8': 8.0}
arms = {
    **{
        f'kd-weight{_name}': dict(
            title=f'KD, loss weight {_weight:g}', config=f'{_pair}+kd', options={f'{_loss}.loss_weight': _weight}
        )
        for _name, _weight in _weights.items()
    },
    **{
        f'ea-weight{_name}': dict(
            title=f'EA-KD, loss weight {_weight:g}',
            config=f'{_pair}+ea-kd',
            options={f'{_loss}.loss_weight': _weight, f'{_loss}.weighting.normalize': True},
        )
        for _name, _weight in _weights.items()
    },
}
sweeps = {
    'KD, loss weight 0.5 to 8': [f'kd-weight{_name}' for _name in _weights],
    'EA-KD, loss weight 0.5 to 8': [f'ea-weight{_name}' for _name in _weights],
}

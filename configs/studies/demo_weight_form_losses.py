# Form of the weight of the other losses in the paper's Table 9: MLD, MLD+LS and FCFD without a weight, with the
# teacher's entropy, with the product of both entropies, and with EA's weight.
_base_ = './_base_/demo.py'

title = 'Digit scenes: forms of the weight of MLD, MLD+LS and FCFD'
control = 'mld'

_pair = '../pairs/r18w32-r18w16_demo.py'
_losses = {'mld': ('MLD', 'loss_mld'), 'mld-ls': ('MLD+LS', 'loss_mld'), 'fcfd': ('FCFD', 'loss_fcfd')}
_modes = {'base': "teacher's entropy", 'interact': 'interact', 'ea': 'ea'}
arms = {
    _name: _arm
    for _method, (_title, _loss) in _losses.items()
    for _name, _arm in {
        _method: dict(title=_title, config=f'{_pair}+{_method}'),
        **{
            f'{_method}-{_mode}': dict(
                title=f'{_title}, {_text}',
                config=f'{_pair}+ea-{_method}',
                options={f'model.distiller.distill_losses.{_loss}.weighting.mode': _mode},
            )
            for _mode, _text in _modes.items()
        },
    }.items()
}
questions = {f'Does EA help {_title}?': (f'{_method}-ea', _method) for _method, (_title, _loss) in _losses.items()}

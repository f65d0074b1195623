# The arms of the plans that vary the width of the teacher or of the student.
_base_ = './demo.py'

_pair = '../pairs/r18w32-r18w16_demo.py'
arms = {
    'kd': dict(title='KD', config=f'{_pair}+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=3)", config=f'{_pair}+kd-matched'),
    'ea-kd': dict(title="EA-KD (T'=3)", config=f'{_pair}+ea-kd'),
    'kd-ls': dict(title='KD+LS', config=f'{_pair}+kd-ls'),
    'ea-kd-ls': dict(title="EA-KD+LS (T'=3)", config=f'{_pair}+ea-kd-ls'),
    'dkd': dict(title='DKD', config=f'{_pair}+dkd'),
    'dkd-ls': dict(title='DKD+LS', config=f'{_pair}+dkd-ls'),
}
questions = {
    'Does selection help?': ('ea-kd', 'kd-matched'),
    'Does LS help KD?': ('kd-ls', 'kd'),
    'Does LS help DKD?': ('dkd-ls', 'dkd'),
    'Does EA help KD+LS?': ('ea-kd-ls', 'kd-ls'),
}

# Options that set the base channels of a detector, by its key and their number.
_width = {
    f'{_key} {_channels}': {
        f'{_key}.backbone.base_channels': _channels,
        f'{_key}.backbone.stem_channels': _channels,
        f'{_key}.neck.in_channels': [_channels, 2 * _channels, 4 * _channels, 8 * _channels],
    }
    for _key in ('model', 'model.architecture', 'model.teacher')
    for _channels in (8, 16, 24, 64)
}

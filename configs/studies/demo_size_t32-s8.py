# A student of another width.
_base_ = './_base_/demo_sizes.py'

title = 'Digit scenes: teacher of 32, student of 8 base channels'

_width = 8
_channels = [_width, 2 * _width, 4 * _width, 8 * _width]
arms = {
    _name: dict(
        options={
            f'{_student}.backbone.base_channels': _width,
            f'{_student}.backbone.stem_channels': _width,
            f'{_student}.neck.in_channels': _channels,
        },
    )
    for _name, _student in zip(_base_.arms, ['model', *(['model.architecture'] * (len(_base_.arms) - 1))], strict=True)
}
del _width, _channels  # a plan contains only keys of the runner

# A teacher of another width (LS, Table 5, and its figure on the size of teachers).
_base_ = './_base_/demo_sizes.py'

title = 'Digit scenes: teacher of 16, student of 16 base channels'

_width = 16
_channels = [_width, 2 * _width, 4 * _width, 8 * _width]
teacher = dict(
    options={
        'model.backbone.base_channels': _width,
        'model.backbone.stem_channels': _width,
        'model.neck.in_channels': _channels,
    },
)
arms = {
    _name: dict(
        options={
            'model.teacher.backbone.base_channels': _width,
            'model.teacher.backbone.stem_channels': _width,
            'model.teacher.neck.in_channels': _channels,
        },
    )
    for _name in _base_.arms
    if _name != 'student'
}
del _width, _channels  # a plan contains only keys of the runner

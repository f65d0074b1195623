# A student of another width.
_base_ = './_base_/demo_sizes.py'

title = 'Digit scenes: teacher of 32, student of 8 base channels'
arms = {
    _name: dict(options=_base_._width['model 8' if _name == 'student' else 'model.architecture 8'])
    for _name in _base_.arms
}

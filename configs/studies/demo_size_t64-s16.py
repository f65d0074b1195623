# A teacher of another width (LS, Table 5, and its figure on the size of teachers).
_base_ = './_base_/demo_sizes.py'

title = 'Digit scenes: teacher of 64, student of 16 base channels'
teacher = dict(options=_base_._width['model 64'])
arms = {_name: dict(options=_base_._width['model.teacher 64']) for _name in _base_.arms if _name != 'student'}

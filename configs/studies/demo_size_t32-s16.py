# Teacher and student of the demo: the middle of the plans on sizes. The others vary one of the two.
_base_ = './_base_/demo_sizes.py'

title = 'Digit scenes: teacher of 32, student of 16 base channels'

# own_data_fifth_raccoon.py with other photos for validation and labels, those that tools/dev/study_photos.py draws.
_base_ = './own_data_fifth_raccoon.py'

title = 'A fifth of the labels, drawn again: raccoons'

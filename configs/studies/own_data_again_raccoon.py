# own_data_fifth_raccoon.py in the folder that tools/dev/study_photos.py makes; the older record is of another.
_base_ = './own_data_fifth_raccoon.py'

title = 'A fifth of the labels, folder made again: raccoons'

# own_data_fifth_cards.py in the folder that tools/dev/study_photos.py --fifth makes; the older record is of another.
_base_ = './own_data_fifth_cards.py'

title = 'A fifth of the labels, folder made again: playing cards'

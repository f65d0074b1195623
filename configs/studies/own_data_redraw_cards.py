# own_data_fifth_cards.py with other photos labelled, those that tools/dev/study_photos.py --fifth draws.
_base_ = './own_data_fifth_cards.py'

title = 'A fifth of the labels, drawn again: playing cards'

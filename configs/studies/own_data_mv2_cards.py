# As own_data_mv2_raccoon.py, on the photos of own_data_cards.py.
_base_ = './own_data_mv2_raccoon.py'

title = 'A teacher from ImageNet: playing cards'
options = {'data_root': 'data/cards'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_cards/teacher/student.pth')

# As own_data_mv2_raccoon.py, on the photos of own_data_bccd.py.
_base_ = './own_data_mv2_raccoon.py'

title = 'A teacher from ImageNet: blood cells'
options = {'data_root': 'data/bccd'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_bccd/teacher/student.pth')

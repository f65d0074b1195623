# As own_data_pick_bccd.py, on the training photos of own_data_raccoon.py.
_base_ = './own_data_pick_bccd.py'

title = 'Choosing the method for own data: raccoons'
options = {'data_root': 'data/raccoon_pick'}
teacher = dict(checkpoint='work_dirs/own_data/raccoon_pick/teacher/student.pth')

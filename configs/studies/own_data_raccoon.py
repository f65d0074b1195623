# As own_data_bccd.py, on 200 photos of raccoons (github.com/datitran/raccoon_dataset) with boxes in the layout of VOC.
# Images are numbered from 1 in the order of the numbers of their files; random.Random(0).shuffle(ids) puts the 50 of
# the validation first.
_base_ = './own_data_bccd.py'

title = 'Own data: raccoons'
options = {'data_root': 'data/raccoon'}
teacher = dict(checkpoint='work_dirs/own_data/raccoon/teacher/student.pth')

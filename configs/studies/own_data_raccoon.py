# As own_data_bccd.py, on 200 photos of raccoons (github.com/datitran/raccoon_dataset), 50 of them, drawn at random, for
# validation. tools/dev/study_photos.py makes the folder.
_base_ = './own_data_bccd.py'

title = 'Own data: raccoons'
options = {'data_root': 'data/raccoon'}
teacher = dict(checkpoint='work_dirs/own_data/raccoon/teacher/student.pth')

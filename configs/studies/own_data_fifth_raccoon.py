# As own_data_fifth_bccd.py, on the photos of own_data_raccoon.py.
_base_ = './own_data_fifth_bccd.py'

title = 'A fifth of the labels: raccoons'
options = {'data_root': 'data/raccoon_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/raccoon_fifth/teacher/student.pth')
arms = {
    'own-data-all': dict(
        options={
            'teacher_labels': 'work_dirs/own_data/raccoon_fifth/teacher_labels.json',
            'teacher_images': 'data/raccoon_fifth/unlabelled',
        },
    ),
}

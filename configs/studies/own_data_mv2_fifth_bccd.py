# As own_data_mv2_fifth_raccoon.py, on the photos of own_data_bccd.py.
_base_ = './own_data_mv2_fifth_raccoon.py'

title = 'A teacher from ImageNet, a fifth of the labels: blood cells'
options = {'data_root': 'data/bccd_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_bccd_fifth/teacher/student.pth')
arms = {
    'from-mv2-all': dict(
        options={
            'teacher_labels': 'work_dirs/own_data/mv2_bccd_fifth/teacher_labels.json',
            'teacher_images': 'data/bccd_fifth/unlabelled',
        }
    )
}

# As own_data_fifth_bccd.py, on the photos of own_data_cards.py.
_base_ = './own_data_fifth_bccd.py'

title = 'A fifth of the labels: playing cards'
options = {'data_root': 'data/cards_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/cards_fifth/teacher/student.pth')
arms = {
    _name: dict(
        options={
            'teacher_labels': 'work_dirs/own_data/cards_fifth/teacher_labels.json',
            'teacher_images': 'data/cards_fifth/unlabelled',
        }
    )
    for _name in ('own-data-all', 'labels-all', 'inherit-all', 'ea-kd-pkd-all')
}

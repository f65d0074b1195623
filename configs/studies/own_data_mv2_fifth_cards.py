# As own_data_mv2_fifth_raccoon.py, on the photos of own_data_cards.py.
_base_ = './own_data_mv2_fifth_raccoon.py'

title = 'A teacher from ImageNet, a fifth of the labels: playing cards'
options = {'data_root': 'data/cards_fifth'}
teacher = dict(checkpoint='work_dirs/own_data/mv2_cards_fifth/teacher/student.pth')
arms = {
    'from-mv2-all': dict(
        options={
            'teacher_labels': 'work_dirs/own_data/mv2_cards_fifth/teacher_labels.json',
            'teacher_images': 'data/cards_fifth/unlabelled',
        }
    )
}

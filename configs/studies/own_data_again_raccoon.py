# own_data_fifth_raccoon.py in the folder that tools/dev/study_photos.py --fifth makes; the older record is of another.
_base_ = './own_data_fifth_raccoon.py'

title = 'A fifth of the labels, folder made again: raccoons'
questions = {
    '_delete_': True,
    'Do photos without labels help?': ('own-data-all', 'student'),
    'Does the recipe beat a longer training without a teacher?': ('own-data-all', 'student-900'),
}
arms = {
    'student-900': dict(
        title="labelled photos, the teacher's start, views and 900 iterations",
        config='../custom_small/student-900_faster-rcnn_r18w16_fpn_custom-small.py',
    ),
}

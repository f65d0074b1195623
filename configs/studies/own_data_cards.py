# As own_data_bccd.py, on photos of playing cards (EdjeElectronics'
# TensorFlow-Object-Detection-API-Tutorial-Train-Multiple-Objects-Windows-10 on GitHub, Apache-2.0): 296 for training
# and 67 for validation, as there. tools/dev/study_photos.py makes the folder.
_base_ = './own_data_bccd.py'

title = 'Own data: playing cards'
options = {'data_root': 'data/cards'}
teacher = dict(checkpoint='work_dirs/own_data/cards/teacher/student.pth')

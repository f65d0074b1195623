# What the plans on the digit scenes share: scenes, seeds, teacher, and the plain student.
data = dict(type='digit_scenes', num_train=1600, num_val=200, seed=0, digits_per_scene=(4, 9), digit_height=(22, 44))
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../demo/teacher_faster-rcnn_r18w32_fpn_demo.py', seed=0)
student = 'student'
control = 'kd'
arms = {'student': dict(title='student', config='../demo/student_faster-rcnn_r18w16_fpn_demo.py')}

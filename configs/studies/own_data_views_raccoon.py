# Views and iterations of the student in the recipe for own data, on photos of raccoons, in data/raccoon_pick2: the 30
# labelled photos of own_data_fifth_raccoon.py; of the other training photos, sorted by id and shuffled by
# random.Random(1), the first 40 to measure on and 80 that the teacher labels. The teacher is that recipe's, which here
# started with the teacher of demo_budget_long-teacher.py.
title = "The student's views and iterations: raccoons, split off"
seeds = (0, 1)
options = {'data_root': 'data/raccoon_pick2'}
teacher = dict(checkpoint='work_dirs/own_data/raccoon_pick2/teacher/student.pth')
student = 'student'
control = 'own-data'
questions = {
    'Do the views of the teacher help?': ('own-data-views', 'own-data'),
    'Do twice the iterations?': ('own-data-600', 'own-data'),
    'Both?': ('own-data-views-600', 'own-data'),
}
_pair = '../pairs/r18w32-r18w16_custom-small.py'
_student = '../custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'
_labels = {
    'teacher_labels': 'work_dirs/own_data/raccoon_pick2/teacher_labels.json',
    'teacher_images': 'data/raccoon_pick2/unlabelled',
}
_views = {
    'train_dataloader.dataset.pipeline': [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='RandomResize', scale=(200, 150), ratio_range=(0.7, 1.5), keep_ratio=True),
        dict(type='RandomCrop', crop_type='absolute', crop_size=(200, 200), allow_negative_crop=True),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PhotoMetricDistortion'),
        dict(type='PackDetInputs'),
    ],
}
_long = {
    'train_cfg.max_iters': 600,
    'train_cfg.val_interval': 600,
    'param_scheduler.1.end': 600,
    'param_scheduler.1.T_max': 570,
    'default_hooks.checkpoint.interval': 600,
}
arms = {
    'student': dict(title='student, 300 iterations', config=_student),
    'student-views': dict(title="student, teacher's views", config=_student, options=_views),
    'student-600': dict(title='student, 600 iterations', config=_student, options=_long),
    'own-data': dict(title='own-data, as it is', config=f'{_pair}+own-data', options=_labels),
    'own-data-views': dict(
        title="own-data, teacher's views", config=f'{_pair}+own-data', options={**_labels, **_views}
    ),
    'own-data-600': dict(title='own-data, 600 iterations', config=f'{_pair}+own-data', options={**_labels, **_long}),
    'own-data-views-600': dict(
        title="own-data, teacher's views, 600 iterations",
        config=f'{_pair}+own-data',
        options={**_labels, **_views, **_long},
    ),
}

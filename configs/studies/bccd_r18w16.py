# Entropy weighting and its controls on blood cells. Students are thin ResNet-18 from scratch with 150 iterations, the
# teacher is a MobileNetV2 with 450. The data is expected in data/bccd; --cfg-options data_root=FOLDER sets another
# folder. Offline, set MOBILENETV2=path/to/weights.pth in the environment for the ImageNet weights.
title = 'Blood cells, thin ResNet-18: entropy-weighted distillation and its controls'
seeds = (0, 1, 2, 3, 4)
teacher = dict(config='../bccd/teacher_faster-rcnn_mv2_fpn_bccd.py', seed=0)
student = 'student'
control = 'kd'
questions = {
    'Does distillation help?': ('kd', 'student'),
    "Does EA's mean weight help?": ('kd-matched', 'kd'),
    'Does selection help, as published?': ('ea-kd', 'kd-matched'),
    "Does it with KD's mean weight?": ('ea-kd-mean1', 'kd'),
}

_ea = '../pairs/mv2-r18w16_bccd.py+ea-kd'
_weighting = 'model.distiller.distill_losses.loss_kd.weighting'
arms = {
    'student': dict(title='student', config='../bccd/student_faster-rcnn_r18w16_fpn_bccd.py'),
    'kd': dict(title='KD', config='../pairs/mv2-r18w16_bccd.py+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=3)", config='../pairs/mv2-r18w16_bccd.py+kd-matched'),
    'ea-kd': dict(title="EA-KD (T'=3)", config=_ea),
    'ea-kd-mean1': dict(title="EA-KD (T'=3), weights of mean 1", config=_ea, options={f'{_weighting}.normalize': True}),
}

# Swin-T teaches R18 on COCO with T' = 2, which the EA-KD paper uses for transformer teachers of classifiers.
# Requires GPUs; no numbers are published for this pair. Also: coco_swin-t-mv2.py.
title = 'COCO: Swin-T to R18'
seeds = (0,)
student = 'student'
control = 'kd'

_pair = '../pairs/swin-t-r18_coco.py'
arms = {
    'student': dict(title='student', config='../r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco.py'),
    'kd': dict(title='KD', config=f'{_pair}+kd'),
    'kd-matched': dict(title="KD, mean weight of EA (T'=2)", config=f'{_pair}+kd-matched'),
    'ea-kd': dict(title="EA-KD (T'=2)", config=f'{_pair}+ea-kd'),
    'kd-ls': dict(title='KD+LS', config=f'{_pair}+kd-ls'),
    'ea-kd-ls': dict(title="EA-KD+LS (T'=2)", config=f'{_pair}+ea-kd-ls'),
}

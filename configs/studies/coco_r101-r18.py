# R101 teaches R18 on COCO, as in Table 6 and Table A2 of the EA-KD paper.
# Requires GPUs; docs/experiments.md has the expected times.
title = 'COCO: R101 to R18'
seeds = (0,)
published = 'r101-r18'
student = 'student'
control = 'kd'

# The teacher of the configs is downloaded and evaluated once.
arms = {
    'student': dict(title='student', config='../r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco.py'),
    'kd': dict(title='KD', config='../r101_r18/kd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'),
    'kd-matched': dict(
        title="KD, mean weight of EA (T'=3)", config='../r101_r18/kd-matched_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'
    ),
    'ea-kd': dict(title="EA-KD (T'=3)", config='../r101_r18/ea-kd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'),
    'dkd': dict(title='DKD', config='../r101_r18/dkd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'),
    'ea-dkd': dict(title="EA-DKD (T'=3)", config='../r101_r18/ea-dkd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py'),
}

# R50 teaches MobileNetV2 on COCO, as in Table 6 and Table A2 of the EA-KD paper.
# Requires GPUs; docs/experiments.md has the expected times.
title = 'COCO: R50 to MobileNetV2'
seeds = (0,)
published = 'r50-mv2'
student = 'student'
control = 'kd'

# The teacher of the configs is downloaded and evaluated once.
arms = {
    'student': dict(title='student', config='../r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco.py'),
    'kd': dict(title='KD', config='../r50_mv2/kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'),
    'kd-matched': dict(
        title="KD, mean weight of EA (T'=3)", config='../r50_mv2/kd-matched_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'
    ),
    'ea-kd': dict(title="EA-KD (T'=3)", config='../r50_mv2/ea-kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'),
    'dkd': dict(title='DKD', config='../r50_mv2/dkd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'),
    'ea-dkd': dict(title="EA-DKD (T'=3)", config='../r50_mv2/ea-dkd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py'),
}

# ATSS R101 teaches ATSS R50, as in CrossKD (CVPR 2024). The recipe is that of the plain student's config.
_base_ = '../dense/student_atss_r50_fpn_1x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::atss/atss_r101_fpn_1x_coco.py',  # box AP 41.5
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/atss/atss_r101_fpn_1x_coco/'
    'atss_r101_fpn_1x_20200825-dfcadd6f.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(loss_cross=dict(after=3))  # as CrossKD

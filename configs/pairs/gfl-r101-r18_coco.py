# GFL R101 teaches GFL R18, as in LD (CVPR 2022). The recipe is that of the plain student's config.
_base_ = '../dense/student_gfl_r18_fpn_1x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::gfl/gfl_r101_fpn_ms-2x_coco.py',  # box AP 44.7
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/gfl/gfl_r101_fpn_mstrain_2x_coco/'
    'gfl_r101_fpn_mstrain_2x_coco_20200629_200126-dd12f847.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(loss_cross=dict(after=3))  # as CrossKD

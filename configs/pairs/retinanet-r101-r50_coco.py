# RetinaNet R101 teaches RetinaNet R50, as in CrossKD (CVPR 2024). The recipe is that of the plain student's config.
_base_ = '../dense/student_retinanet_r50_fpn_1x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::retinanet/retinanet_r101_fpn_2x_coco.py',  # box AP 38.9
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/retinanet/retinanet_r101_fpn_2x_coco/'
    'retinanet_r101_fpn_2x_coco_20200131-5560aee8.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(loss_cross=dict(after=3))  # as CrossKD

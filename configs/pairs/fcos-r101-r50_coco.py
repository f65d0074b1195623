# FCOS R101 teaches FCOS R50, as in CrossKD (CVPR 2024). The recipe is that of the plain student's config.
_base_ = '../dense/student_fcos_r50-caffe_fpn_ms-2x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::fcos/fcos_r101-caffe_fpn_gn-head_ms-640-800-2x_coco.py',  # box AP 40.8
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/fcos/fcos_r101_caffe_fpn_gn-head_mstrain_640-800_2x_coco/'
    'fcos_r101_caffe_fpn_gn-head_mstrain_640-800_2x_coco-511424d6.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(loss_cross=dict(after=3))  # as CrossKD

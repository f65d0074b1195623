# Swin-T teaches R18: a transformer teacher, as in the papers' classification tables. MMDetection has no Faster R-CNN
# with this backbone; the teacher is its Mask R-CNN, of which only the box branch runs.
_base_ = ['../r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco.py', '../_base_/loss_options_transformer.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::swin/mask-rcnn_swin-t-p4-w7_fpn_ms-crop-3x_coco.py',  # box AP 46.0
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/swin/mask_rcnn_swin-t-p4-w7_fpn_ms-crop-3x_coco/'
    'mask_rcnn_swin-t-p4-w7_fpn_ms-crop-3x_coco_20210906_131725-bacf6f7b.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

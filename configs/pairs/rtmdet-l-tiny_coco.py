# RTMDet-l teaches RTMDet-tiny. The recipe is that of the plain student's config.
_base_ = '../dense/student_rtmdet_tiny_300e_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::rtmdet/rtmdet_l_8xb32-300e_coco.py',  # box AP 51.3
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/rtmdet_l_8xb32-300e_coco/'
    'rtmdet_l_8xb32-300e_coco_20220719_112030-5a0be7c4.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

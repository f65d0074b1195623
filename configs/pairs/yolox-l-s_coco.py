# YOLOX-l teaches YOLOX-s. The recipe is that of the plain student's config.
_base_ = '../dense/student_yolox_s_300e_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher='mmdet::yolox/yolox_l_8xb8-300e_coco.py',  # box AP 49.4
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/yolox/yolox_l_8x8_300e_coco/'
    'yolox_l_8x8_300e_coco_20211126_140236-d3bd2b23.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

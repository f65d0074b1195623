# The caffe-style R101 (box AP 42.0) teaches R18. Unlike the student, it requires BGR and a standard deviation of 1.
_base_ = './r101-r18_coco.py'

model = dict(
    teacher=dict(
        data_preprocessor=dict(mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
        backbone=dict(style='caffe'),
    ),
    # mmdet::faster_rcnn/faster-rcnn_r101-caffe_fpn_ms-3x_coco. That config of MMDetection 3 lacks the data_preprocessor
    # above (MMDetection 2 had it) and must not be used as the teacher: the pixel values would be wrong.
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r101_caffe_fpn_mstrain_3x_coco/'
    'faster_rcnn_r101_caffe_fpn_mstrain_3x_coco_20210526_095742-a7ae426d.pth',
)

# Faster R-CNN, MobileNetV2, FPN: the student of the second pair. Feature maps at strides 4, 8, 16, 32
# (24, 32, 96, 320 channels), no frozen stage, all norm layers frozen. Starts from the ImageNet weights of MMDetection's
# MobileNetV2 configs.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='eakd_det.MobileNetV2',
        out_indices=(1, 2, 4, 6),
        frozen_stages=-1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://mmdet/mobilenet_v2'),
    ),
    neck=dict(in_channels=[24, 32, 96, 320]),
)

# Faster R-CNN, ResNet-50, FPN, all norm layers frozen: the teacher of configs/custom. It starts from a COCO detector
# (`load_from`) and needs no ImageNet weights.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=None,
    ),
)

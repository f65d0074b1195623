# Faster R-CNN, ResNet-18, FPN: the student of the first pair. Starts from torchvision's ImageNet weights, by URL,
# because `torchvision://resnet18` requires torchvision.
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'

model = dict(
    backbone=dict(
        depth=18,
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet18-f37072fd.pth'),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)

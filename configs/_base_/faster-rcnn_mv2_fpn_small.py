# MobileNetV2 with ImageNet weights, and the demo's pyramid and heads. The layers up to stride 4 are frozen, which saves
# half of the backward pass on a CPU. Offline, set MOBILENETV2=path/to/weights.pth in the environment.
_base_ = './faster-rcnn_r18w16_fpn_demo.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='eakd_det.MobileNetV2',
        out_indices=(1, 2, 4, 6),
        frozen_stages=2,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type='Pretrained', checkpoint='{{$MOBILENETV2:open-mmlab://mmdet/mobilenet_v2}}'),
    ),
    neck=dict(in_channels=[24, 32, 96, 320]),
)

# Half of MobileNetV2's channels and half of the FPN's, from scratch: there are no public weights of this width.
_base_ = './faster-rcnn_mv2_fpn.py'

model = dict(
    backbone=dict(
        widen_factor=0.5,
        norm_cfg=dict(requires_grad=True),
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[16, 16, 48, 160], out_channels=128),
    rpn_head=dict(in_channels=128, feat_channels=128),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=128),
        bbox_head=dict(in_channels=128, fc_out_channels=512),
    ),
    train_cfg=dict(rcnn=dict(sampler=dict(num=64))),
)

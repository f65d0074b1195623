# The same with half of the channels everywhere, from scratch: there are no public weights of this width.
_base_ = './faster-rcnn_mv2_fpn_small.py'

model = dict(
    backbone=dict(
        widen_factor=0.5,
        norm_cfg=dict(requires_grad=True),
        norm_eval=False,
        init_cfg=None,
    ),
    neck=dict(in_channels=[16, 16, 48, 160], out_channels=64),
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(in_channels=64, fc_out_channels=256),
    ),
)

# The teacher: a pyramid of twice the channels.
_base_ = './faster-rcnn_mv2_fpn_small.py'

model = dict(
    neck=dict(out_channels=64),
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(bbox_roi_extractor=dict(out_channels=64), bbox_head=dict(in_channels=64)),
)

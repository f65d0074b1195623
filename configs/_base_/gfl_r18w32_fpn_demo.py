# The same detector with twice the channels and a wider head.
_base_ = './gfl_r18w16_fpn_demo.py'

model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256]),
    bbox_head=dict(feat_channels=64),
)

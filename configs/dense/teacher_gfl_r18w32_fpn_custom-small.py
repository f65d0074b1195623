# The dense teacher without a GPU: half of ResNet-18's channels and a wider head, from scratch.
_base_ = ['../_base_/gfl_r18w16_fpn_demo.py', '../_base_/custom_small.py']

model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256]),
    bbox_head=dict(feat_channels=64),
)

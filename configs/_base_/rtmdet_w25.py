# The same detector with twice the channels and a wider head.
_base_ = './rtmdet_w12.py'

model = dict(backbone=dict(widen_factor=0.25), neck=dict(in_channels=[64, 128, 256]), bbox_head=dict(feat_channels=64))

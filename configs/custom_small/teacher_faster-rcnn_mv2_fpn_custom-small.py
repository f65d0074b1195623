# Step 1 without a GPU: MobileNetV2 from its ImageNet weights.
_base_ = ['../_base_/faster-rcnn_mv2_fpn.py', '../_base_/custom_small.py']

model = dict(train_cfg=dict(rcnn=dict(sampler=dict(num=64))))

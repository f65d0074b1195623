# Step 1 without a GPU: MobileNetV2 from its ImageNet weights.
_base_ = ['../_base_/faster-rcnn_mv2_fpn_small.py', '../_base_/custom_small.py']

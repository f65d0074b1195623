# Step 1 without a GPU: half of ResNet-18's channels, from scratch.
_base_ = ['../_base_/faster-rcnn_r18w32_fpn_demo.py', '../_base_/custom_small_teacher.py']

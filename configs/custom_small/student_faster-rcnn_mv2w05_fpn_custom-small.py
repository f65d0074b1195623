# The plain student: what every distilled one is compared with.
_base_ = ['../_base_/faster-rcnn_mv2w05_fpn_small.py', '../_base_/custom_small.py']

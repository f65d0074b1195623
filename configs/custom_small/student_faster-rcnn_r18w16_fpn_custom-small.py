# The plain student: what every distilled one is compared with.
_base_ = ['../_base_/faster-rcnn_r18w16_fpn_demo.py', '../_base_/custom_small.py']

# The plain student on your own data: what every distilled one is compared with.
_base_ = ['../_base_/faster-rcnn_mv2_fpn.py', '../_base_/custom.py']

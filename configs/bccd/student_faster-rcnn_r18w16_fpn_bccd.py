# A quarter of ResNet-18's channels, from scratch.
_base_ = ['../_base_/faster-rcnn_r18w16_fpn_demo.py', '../_base_/bccd.py']

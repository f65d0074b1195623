# The plain student, the baseline of all distilled students.
_base_ = ['../_base_/faster-rcnn_r18w16_fpn_demo.py', '../_base_/custom_small.py']

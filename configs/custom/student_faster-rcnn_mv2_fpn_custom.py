# The plain student on your own data, the baseline of all distilled students.
_base_ = ['../_base_/faster-rcnn_mv2_fpn.py', '../_base_/custom.py']

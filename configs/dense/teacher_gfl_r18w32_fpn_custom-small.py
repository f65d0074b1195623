# The dense teacher without a GPU: half of ResNet-18's channels and a wider head, from scratch.
_base_ = ['../_base_/gfl_r18w32_fpn_demo.py', '../_base_/custom_small_teacher.py']

# The RTMDet teacher without a GPU, from scratch.
_base_ = ['../_base_/rtmdet_w25.py', '../_base_/custom_small_teacher.py']

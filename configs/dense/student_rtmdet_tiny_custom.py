# The plain student on your own data: RTMDet-tiny from ImageNet.
_base_ = ['../_base_/rtmdet_tiny.py', '../_base_/custom_rtmdet.py']

# The plain student of the small RTMDet pair.
_base_ = ['../_base_/rtmdet_w12.py', '../_base_/custom_small.py']

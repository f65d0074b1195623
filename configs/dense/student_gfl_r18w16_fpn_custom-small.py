# The plain student of the dense pair, the baseline of all distilled students.
_base_ = ['../_base_/gfl_r18w16_fpn_demo.py', '../_base_/custom_small.py']

# The plain student of the digit scenes.
_base_ = ['../_base_/gfl_r18w16_fpn_demo.py', '../_base_/demo.py']

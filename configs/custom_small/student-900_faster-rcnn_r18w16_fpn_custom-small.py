# The plain student of the pair mv2-r18w16_custom-small: the same start, photos in other sizes, parts and colours, and
# as many iterations.
_base_ = ['../_base_/faster-rcnn_r18w16_fpn_demo.py', '../_base_/custom_small_teacher.py']

load_from = 'zoo://demo-student'

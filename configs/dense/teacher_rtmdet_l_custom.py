# The teacher on your own data: fine-tune MMDetection's RTMDet-l (box AP 51.3 on COCO); its last layer is randomly
# initialised.
_base_ = ['../_base_/rtmdet_tiny.py', '../_base_/custom_rtmdet.py']

model = dict(
    backbone=dict(deepen_factor=1.0, widen_factor=1.0, init_cfg=None),
    neck=dict(in_channels=[256, 512, 1024], out_channels=256, num_csp_blocks=3),
    bbox_head=dict(in_channels=256, feat_channels=256, exp_on_reg=True),
)
load_from = (
    'https://download.openmmlab.com/mmdetection/v3.0/rtmdet/rtmdet_l_8xb32-300e_coco/'
    'rtmdet_l_8xb32-300e_coco_20220719_112030-5a0be7c4.pth'
)

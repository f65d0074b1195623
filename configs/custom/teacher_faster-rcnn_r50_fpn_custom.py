# Step 1 on your own data: fine-tune MMDetection's COCO detector (box AP 40.3); its last layer is randomly initialised.
_base_ = ['../_base_/faster-rcnn_r50_fpn.py', '../_base_/custom.py']

load_from = (
    'https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_mstrain_3x_coco/'
    'faster_rcnn_r50_fpn_mstrain_3x_coco_20210524_110822-e10bd31c.pth'
)

# RTMDet-tiny as in MMDetection (BatchNorm instead of SyncBN, which has the same weights), from ImageNet.
_base_ = './rtmdet_w12.py'

model = dict(
    data_preprocessor=dict(mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False),
    backbone=dict(
        widen_factor=0.375,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/'
            'cspnext-tiny_imagenet_600e.pth',
        ),
    ),
    neck=dict(in_channels=[96, 192, 384], out_channels=96),
    bbox_head=dict(in_channels=96, feat_channels=96),
    test_cfg=dict(nms_pre=30000, score_thr=0.001, max_per_img=300),
)

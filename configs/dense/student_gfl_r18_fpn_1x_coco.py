# The plain student: GFL R18-FPN, 12 epochs, 16 images in all (8 GPUs with 2 images each; `--auto-scale-lr` otherwise).
_base_ = ['mmdet::gfl/gfl_r50_fpn_1x_coco.py', '../_base_/hooks_dense.py']

model = dict(
    backbone=dict(
        depth=18,
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet18-f37072fd.pth'),
    ),
    neck=dict(in_channels=[64, 128, 256, 512]),
)

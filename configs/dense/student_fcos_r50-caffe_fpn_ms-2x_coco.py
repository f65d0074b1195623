# The plain student: FCOS R50-FPN with Caffe's weights, 24 epochs, 16 images in all (8 GPUs with 2 images each;
# `--auto-scale-lr` otherwise). Box AP 38.5 in CrossKD and in MMDetection's model zoo.
_base_ = ['mmdet::fcos/fcos_r50-caffe_fpn_gn-head_ms-640-800-2x_coco.py', '../_base_/hooks_dense.py']

# As in FGD's code.
loss_options = dict(
    loss_fgd=dict(
        foreground_weight=1.6e-3, background_weight=8e-4, attention_weight=8e-4, relation_weight=8e-6, tau=0.8
    ),
)

# The plain student: what every distilled one is compared with.
_base_ = [
    '../_base_/faster-rcnn_r18w16_fpn_demo.py',
    '../_base_/digit_scenes.py',
    '../_base_/schedule_demo.py',
    '../_base_/runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=500, max_keep_ckpts=1, save_best=None))

# The plain student of the digit scenes.
_base_ = [
    '../_base_/gfl_r18w16_fpn_demo.py',
    '../_base_/digit_scenes.py',
    '../_base_/schedule_demo.py',
    '../_base_/runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=220, max_keep_ckpts=1, save_best=None))

# As in ../_base_/hooks_dense.py.
loss_options = dict(
    loss_kd=dict(reduction='objects', weighting=dict(tau=1.0)),
    loss_cross=dict(reduction='objects', weighting=dict(tau=1.0)),
)

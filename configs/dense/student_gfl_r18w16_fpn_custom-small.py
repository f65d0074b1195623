# The plain student of the dense pair, the baseline of all distilled students.
_base_ = ['../_base_/gfl_r18w16_fpn_demo.py', '../_base_/custom_small.py']

# As in ../_base_/hooks_dense.py.
loss_options = dict(
    loss_kd=dict(reduction='objects', weighting=dict(tau=1.0)),
    loss_cross=dict(reduction='objects', weighting=dict(tau=1.0)),
)

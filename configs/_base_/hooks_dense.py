# What the recipes of dense detectors add to MMDetection's own.
_base_ = './loss_options_dense.py'

custom_hooks = [
    dict(type='eakd_det.ClassCheckHook'),
    dict(type='eakd_det.NonFiniteLossHook', policy='stop'),
    dict(type='eakd_det.CocoEvalHook'),
]

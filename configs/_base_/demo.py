# Data and recipe of the detectors of the digit scenes.
_base_ = ['./digit_scenes.py', './schedule_demo.py', './runtime.py']

default_hooks = dict(checkpoint=dict(interval=220, max_keep_ckpts=1, save_best=None))

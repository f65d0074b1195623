# For your own data: EA-KD and PKD, for a student that starts with the teacher's weights. docs/custom_data.md has what
# each part contributes.
_base_ = './ea-kd-pkd.py'

model = dict(inherit=['backbone', 'neck', 'rpn_head', 'roi_head'])

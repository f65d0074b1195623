# As coco_swin-t-r18.py, with MobileNetV2 as the student.
_base_ = './coco_swin-t-r18.py'

title = 'COCO: Swin-T to MobileNetV2'

_pair = '../pairs/swin-t-mv2_coco.py'
arms = {
    'student': dict(config='../r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco.py'),
    **{_name: dict(config=f'{_pair}+{_name}') for _name in _base_.arms if _name != 'student'},
}

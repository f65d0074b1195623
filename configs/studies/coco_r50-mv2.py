# As coco_r101-r18.py: R50 teaches MobileNetV2.
_base_ = './coco_r101-r18.py'

title = 'COCO: R50 to MobileNetV2'
published = 'r50-mv2'
arms = {
    'student': dict(config='../r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco.py'),
    **{
        _name: dict(config=f'../r50_mv2/{_name}_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py')
        for _name in _base_.arms
        if _name != 'student'
    },
}

# The plain student, the baseline of all distilled students.
_base_ = [
    '../_base_/faster-rcnn_r18_fpn.py',
    '../_base_/coco_ms.py',
    '../_base_/schedule_180k.py',
    '../_base_/runtime.py',
]

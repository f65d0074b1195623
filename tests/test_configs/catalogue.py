"""Which configs there are, and how to read them for a test."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

from eakd_det.cli.config import read_config

ROOT = Path(__file__).parents[2] / 'configs'
METHODS = ('kd', 'kd-matched', 'ea-kd', 'dkd', 'ea-dkd')
PUBLISHED = ('review-kd', 'ea-review-kd', 'dkd-review-kd', 'fcfd', 'ea-fcfd')  # with settings for these COCO pairs
DEMO_ONLY = (
    *('kd-ls', 'ea-kd-ls', 'dkd-ls', 'ea-dkd-ls', 'mld', 'ea-mld', 'mld-ls', 'ea-mld-ls', 'ctkd', 'ea-ctkd', 'ctkd-ls'),
    *('ttm', 'wttm', 'ea-ttm', 'rkld', 'ea-rkld', 'jsd', 'ea-jsd', 'skld', 'ea-skld', 'srkld', 'ea-srkld'),
    *('pad', 'pkd', 'ea-kd-pkd', 'fgd', 'ea-kd-fgd', 'egad-inspired'),
)
DENSE_ONLY = (
    *('ld', 'ea-ld', 'cross-head', 'ea-cross-head', 'crosskd', 'ea-crosskd', 'bckd', 'ea-bckd', 'kd-confident'),
)
REFUSED_FOR_PROPOSALS = ('crosskd', 'ea-crosskd', 'bckd', 'ea-bckd', 'ld', 'ea-ld')  # need sigmoid scores or anchors
RELATIVES = (
    *('fitnet', 'at', 'rkd', 'ofd', 'kd-plus-plus', 'review-kd-plus-plus', 'srrl', 'cat-kd', 'crd'),
    *('adakd', 'dynamic-kd', 'ctkd-instance', 'atkd'),
)
OTHER_STUDENT = ('simkd',)  # changes the student as well


def names_of_pair(teacher: str, student: str, suffix: str, methods: tuple[str, ...] = METHODS) -> list[str]:
    distilled = [f'{method}_faster-rcnn_{teacher}-{student}_fpn_{suffix}' for method in methods]
    return [f'student_faster-rcnn_{student}_fpn_{suffix}', *distilled]


FOLDERS = {
    'r101_r18': [
        *names_of_pair('r101', 'r18', 'ms-1x_coco', METHODS + PUBLISHED),
        'ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco',
    ],
    'r50_mv2': names_of_pair('r50', 'mv2', 'ms-1x_coco', METHODS + PUBLISHED),
    'custom': ['teacher_faster-rcnn_r50_fpn_custom', *names_of_pair('r50', 'mv2', 'custom', ('ea-kd',))],
    'custom_small': [
        'student-1200_faster-rcnn_r18w16_fpn_custom-small',
        'student-900_faster-rcnn_r18w16_fpn_custom-small',
        'teacher_faster-rcnn_mv2_fpn_custom-small',
        'teacher_faster-rcnn_r18w32_fpn_custom-small',
        *names_of_pair('r18w32', 'r18w16', 'custom-small', ()),
    ],
    'bccd': [
        'teacher_faster-rcnn_mv2_fpn_bccd',
        *names_of_pair('mv2', 'r18w16', 'bccd', ()),
        *names_of_pair('mv2', 'mv2', 'bccd', ()),
    ],
    'demo': [
        'teacher_faster-rcnn_r18w32_fpn_demo',
        *names_of_pair('r18w32', 'r18w16', 'demo', ('ea-kd',)),
    ],
}
# A pair of two-stage detectors, and the config of its plain student.
PAIRS = {
    'r101-r18_coco': 'r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco',
    'r101-caffe-r18_coco': 'r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco',
    'r50-mv2_coco': 'r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco',
    'swin-t-r18_coco': 'r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco',
    'swin-t-mv2_coco': 'r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco',
    'r50-mv2_custom': 'custom/student_faster-rcnn_mv2_fpn_custom',
    'r18w32-r18w16_custom-small': 'custom_small/student_faster-rcnn_r18w16_fpn_custom-small',
    'mv2-r18w16_custom-small': 'custom_small/student-900_faster-rcnn_r18w16_fpn_custom-small',
    'mv2-r18w16_bccd': 'bccd/student_faster-rcnn_r18w16_fpn_bccd',
    'mv2-mv2_bccd': 'bccd/student_faster-rcnn_mv2_fpn_bccd',
    'r18w32-r18w16_demo': 'demo/student_faster-rcnn_r18w16_fpn_demo',
}
# Pairs of dense detectors, and the type of their student's head.
DENSE_PAIRS = {
    'gfl-r101-r18_coco': 'GFLHead',
    'gfl-r101-r50_coco': 'GFLHead',
    'retinanet-r101-r50_coco': 'RetinaHead',
    'fcos-r101-r50_coco': 'FCOSHead',
    'atss-r101-r50_coco': 'ATSSHead',
    'rtmdet-l-s_coco': 'RTMDetSepBNHead',
    'rtmdet-l-tiny_coco': 'RTMDetSepBNHead',
    'yolox-l-s_coco': 'YOLOXHead',
    'gfl-r18w32-r18w16_custom-small': 'GFLHead',
    'gfl-r18w32-r18w16_demo': 'GFLHead',
    'rtmdet-l-tiny_custom': 'RTMDetSepBNHead',
    'rtmdet-w25-w12_custom-small': 'RTMDetSepBNHead',
}
NAMES = [f'{folder}/{name}' for folder, names in FOLDERS.items() for name in names]
SMALL = ('custom_small/', 'bccd/', 'demo/')  # small machines have a recipe of their own
RECIPE = [name for name in NAMES if not name.startswith(SMALL)]
COCO = [name for name in NAMES if name.endswith('_coco')]
CUSTOM = [name for name in NAMES if name.split('/')[0] == 'custom']
DISTILLED = [name for name in NAMES if Path(name).name.split('_')[0] in METHODS + PUBLISHED]

_cache: dict[str, Config] = {}


def load(name: str) -> Config:
    """A fresh copy of the config ``folder/name``, or of ``pairs/<pair>.py+<method>``."""
    if name not in _cache:
        _cache[name] = read_config(str(ROOT / (name if '.py+' in name else f'{name}.py')))
    return copy.deepcopy(_cache[name])


def composed(method: str, pair: str = 'r18w32-r18w16_demo') -> str:
    """The name of a pair with a method."""
    return f'pairs/{pair}.py+{method}'


def offline(cfg: Config) -> Config:
    """The same model without any download: no teacher checkpoint, no ImageNet weights."""
    if 'architecture' in cfg.model:
        cfg.model.teacher_ckpt = None
        cfg.model.inherit = None
        cfg.model.architecture.backbone.init_cfg = None
    else:
        cfg.model.backbone.init_cfg = None
    return cfg


def student_of(cfg: Config):
    return cfg.model.get('architecture', cfg.model)


def student_name(name: str) -> str:
    """The plain student that belongs to a distilled config."""
    folder, stem = name.split('/')
    detector = stem.split('_')[2].split('-')[-1]
    return f'{folder}/{next(other for other in FOLDERS[folder] if other.startswith("student") and detector in other)}'

"""Which configs there are, and how to read them for a test."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).parents[2] / 'configs'
METHODS = ('kd', 'kd-matched', 'ea-kd', 'dkd', 'ea-dkd')
PUBLISHED = ('review-kd', 'ea-review-kd', 'dkd-review-kd', 'fcfd', 'ea-fcfd')  # with settings for these COCO pairs
DEMO_ONLY = (
    *('kd-ls', 'ea-kd-ls', 'dkd-ls', 'ea-dkd-ls', 'mld', 'ea-mld', 'mld-ls', 'ea-mld-ls', 'ctkd', 'ea-ctkd', 'ctkd-ls'),
    *('ttm', 'wttm', 'ea-ttm', 'rkld', 'ea-rkld', 'jsd', 'ea-jsd', 'skld', 'ea-skld', 'srkld', 'ea-srkld'),
    *('pad', 'egad-inspired'),
)


def names_of_pair(teacher: str, student: str, suffix: str, methods: tuple[str, ...] = METHODS) -> list[str]:
    distilled = [f'{method}_faster-rcnn_{teacher}-{student}_fpn_{suffix}' for method in methods]
    return [f'student_faster-rcnn_{student}_fpn_{suffix}', *distilled]


FOLDERS = {
    'r101_r18': [
        *names_of_pair('r101', 'r18', 'ms-1x_coco', METHODS + PUBLISHED),
        'ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco',
    ],
    'r50_mv2': names_of_pair('r50', 'mv2', 'ms-1x_coco', METHODS + PUBLISHED),
    'custom': ['teacher_faster-rcnn_r50_fpn_custom', *names_of_pair('r50', 'mv2', 'custom')],
    'custom_small': [
        'teacher_faster-rcnn_r18w32_fpn_custom-small',
        *names_of_pair('r18w32', 'r18w16', 'custom-small'),
    ],
    'bccd': [
        'teacher_faster-rcnn_mv2_fpn_bccd',
        *names_of_pair('mv2', 'r18w16', 'bccd'),
        *names_of_pair('mv2', 'mv2', 'bccd'),
    ],
}
NAMES = [f'{folder}/{name}' for folder, names in FOLDERS.items() for name in names]
RECIPE = [name for name in NAMES if not name.startswith(('custom_small/', 'bccd/'))]  # small machines have their own
COCO = [name for name in NAMES if name.endswith('_coco')]
CUSTOM = [name for name in NAMES if name.split('/')[0] == 'custom']
DISTILLED = [name for name in NAMES if Path(name).name.split('_')[0] in METHODS + PUBLISHED]

_cache: dict[str, Config] = {}


def load(name: str) -> Config:
    """A fresh copy of the config ``folder/name``."""
    if name not in _cache:
        _cache[name] = Config.fromfile(ROOT / f'{name}.py')
    return copy.deepcopy(_cache[name])


def offline(cfg: Config) -> Config:
    """The same model without any download: no teacher checkpoint, no ImageNet weights."""
    if 'architecture' in cfg.model:
        cfg.model.teacher_ckpt = None
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

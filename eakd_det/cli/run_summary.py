"""Describe a training run in one line at its start; MMEngine's log begins with hundreds of lines about the machine."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from eakd_det.cli.detectors import is_distillation
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.datasets.dataset_configs import annotation_path, class_names, local_coco_datasets
from eakd_det.plurals import counted

_SHOWN = 5


def describe_training(cfg: Config) -> str:
    """Return detectors, losses, data, length and work folder of a training run.

    Example:
        >>> model = dict(architecture=dict(type='FasterRCNN'), teacher=dict(type='CascadeRCNN'), teacher_ckpt='t.pth',
        ...     distiller=dict(distill_losses=dict(loss_kd=dict())))
        >>> describe_training(Config(dict(model=model, train_cfg=dict(max_iters=300), work_dir='work_dirs/kd')))
        'FasterRCNN learns from CascadeRCNN (t.pth) by loss_kd; 300 iterations; into work_dirs/kd'
    """
    parts = [_detectors(cfg.model), *_data(cfg), _length(cfg.get('train_cfg') or {}), f'into {cfg.get("work_dir")}']
    start = f'{"resumes from" if cfg.get("resume") else "starts from"} {cfg.load_from}' if cfg.get('load_from') else ''
    return '; '.join(filter(None, [*parts, start]))


def _detectors(model: Any) -> str:
    if not is_distillation(model):
        return f'{model.get("type")} without a teacher'
    losses = ', '.join((model.get('distiller') or {}).get('distill_losses') or {})
    checkpoint = f' ({model["teacher_ckpt"]})' if model.get('teacher_ckpt') else ''
    student, teacher = (_detector(model.get(side)) for side in ('architecture', 'teacher'))
    return f'{student} learns from {teacher}{checkpoint} by {losses}'


def _detector(node: Any) -> str:
    if isinstance(node, dict):
        return str(node.get('type') or node.get('cfg_path'))
    return str(node)


def _data(cfg: Config) -> list[str]:
    parts, names = [], None
    for loader, use in (('train_dataloader', 'to train on'), ('val_dataloader', 'to validate on')):
        datasets = [dataset for _, dataset in local_coco_datasets(cfg, loader)]
        files = [annotation_path(dataset) for dataset in datasets]
        summaries = [read_annotation_summary(file) for file in files if file.is_file()]
        if summaries:
            parts.append(f'{counted(sum(len(summary.file_names) for summary in summaries), "image")} {use}')
            names = names or class_names(datasets[0]) or summaries[0].categories
    if names:
        more = ', ...' if len(names) > _SHOWN else ''
        parts.append(f'{counted(len(names), "class")} ({", ".join(list(names)[:_SHOWN])}{more})')
    return parts


def _length(train_cfg: dict[str, Any]) -> str:
    for key, noun in (('max_iters', 'iteration'), ('max_epochs', 'epoch')):
        if train_cfg.get(key):
            return counted(train_cfg[key], noun)
    return ''

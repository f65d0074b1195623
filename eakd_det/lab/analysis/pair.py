"""Student, teacher and training batches of a distillation config, without a runner."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Literal

import torch
from mmdet.utils import register_all_modules
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from torch.utils.data import DataLoader

from eakd_det.building import build_model
from eakd_det.checkpoint import load_checkpoint_file, load_detector_weights
from eakd_det.cli.config import merge_options, read_config
from eakd_det.cli.data_checks import check_data
from eakd_det.cli.detectors import is_distillation, set_teacher_classes
from eakd_det.cli.translation import config_errors
from eakd_det.datasets import apply_data_options
from eakd_det.distillation import ProposalDistill
from eakd_det.errors import ConfigError
from eakd_det.models import read_model_config

Split = Literal['train', 'val']


def load_pair_config(path: str, options: dict[str, Any] | None = None, seed: int = 0) -> Config:
    """Read a distillation config as :func:`load_config` does.

    Raises:
        ConfigError: If the config does not distil proposals, or its data cannot be read.
    """
    cfg = load_config(path, options, seed)
    if not is_distillation(cfg.model) or 'teacher' not in cfg.model:
        raise ConfigError(f'model: expected {path} to distil (eakd_det.ProposalDistill with architecture and teacher)')
    return cfg


def load_config(path: str, options: dict[str, Any] | None = None, seed: int = 0) -> Config:
    """Read a config, merge ``--cfg-options``, check its data, and seed all random numbers.

    Raises:
        ConfigError: If there is no model, or the data cannot be read.
    """
    register_all_modules(init_default_scope=False)
    cfg = read_config(path)
    merge_options(cfg, options or {})
    if not isinstance(cfg.get('model'), dict):
        raise ConfigError(f'model: expected {path} to define a model dict, but got {cfg.get("model")!r}')
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    cfg = apply_data_options(cfg, 'train')
    check_data(cfg, ('train_dataloader', 'val_dataloader'))
    set_random_seed(seed)
    return cfg


def build_pair(cfg: Config, student_checkpoint: str | None) -> ProposalDistill:
    """Build student and teacher with their weights, on the GPU if there is one.

    Args:
        cfg: A distillation config.
        student_checkpoint: The student's weights. None makes the teacher its own student: proposals are then the
            teacher's and both entropies are equal, which allows a first look before there is a student.

    Raises:
        ConfigError: If the teacher has no checkpoint, or weights do not fit.
    """
    cfg = copy.deepcopy(cfg)
    if not cfg.model.get('teacher_ckpt'):
        raise ConfigError(f'model.teacher_ckpt: expected the weights of the teacher, but {cfg.filename} has none')
    key, source = 'student_checkpoint', student_checkpoint
    if source is None:
        if cfg.model.get('class_map') is not None:
            raise ConfigError('model.class_map: expected none without a student checkpoint')
        key, source = 'model.teacher_ckpt', str(cfg.model.teacher_ckpt)
        cfg.model.architecture = read_model_config(cfg.model.teacher, 'model.teacher')
        cfg.model.pop('data_preprocessor', None)
    elif cfg.model.get('class_map') is not None:
        set_teacher_classes(cfg.model, load_checkpoint_file(str(cfg.model.teacher_ckpt), 'model.teacher_ckpt'))
    with config_errors(cfg):
        algorithm = build_model(cfg.model)
    if not isinstance(algorithm, ProposalDistill):
        name = type(algorithm).__name__
        raise ConfigError(f'model.type: expected eakd_det.ProposalDistill in {cfg.filename}, but got {name}')
    load_detector_weights(algorithm.student, source, key)
    return algorithm.to(torch.device(get_device()))


def build_batches(cfg: Config, split: Split = 'train', seed: int = 0) -> DataLoader:
    """Return a data loader over all images in random order, prepared as for training.

    Args:
        cfg: A distillation config.
        split: 'train', or 'val' for the validation images, also with the training pipeline: a step needs
            annotations that are transformed with the image.
        seed: Seed of the order.

    Raises:
        ConfigError: If ``split`` is 'val' and the config has no single validation set.
    """
    loader = copy.deepcopy(cfg.train_dataloader)
    if split == 'val':
        innermost = list(_datasets(loader.dataset))
        others = list(_datasets((cfg.get('val_dataloader') or {}).get('dataset')))
        if len(innermost) != 1 or len(others) != 1:
            raise ConfigError('val_dataloader.dataset: expected one data set for training and one for validation')
        loader.dataset = innermost[0]
        for key in ('ann_file', 'data_prefix', 'data_root'):
            if key in others[0]:
                loader.dataset[key] = others[0][key]
    loader.sampler = dict(type='DefaultSampler', shuffle=True)
    loader.pop('batch_sampler', None)
    _keep_homography(loader.dataset)
    with config_errors(cfg):
        return Runner.build_dataloader(loader, seed=seed)


def _datasets(node: Any) -> Iterator[ConfigDict]:
    if isinstance(node, dict):
        inner = [node['dataset']] if 'dataset' in node else list(node.get('datasets') or [])
        if not inner:
            yield node
        for dataset in inner:
            yield from _datasets(dataset)


def _keep_homography(node: Any) -> None:
    """Let the last transform keep the homography, so that boxes can be mapped back to the file."""
    if isinstance(node, dict):
        if str(node.get('type', '')).endswith('PackDetInputs'):
            default = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction')
            node['meta_keys'] = (*(node.get('meta_keys') or default), 'homography_matrix')
        for value in node.values():
            _keep_homography(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _keep_homography(value)

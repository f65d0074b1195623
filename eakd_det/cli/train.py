"""Train a detector, distilled or plain: what ``tools/train.py`` runs."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from torch import Tensor

from eakd_det.checkpoint import LoadReport, compare_state_dicts, load_checkpoint_file
from eakd_det.checkpoint.loading import detector_state_dict
from eakd_det.checkpoint.source import local_checkpoint_path
from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config
from eakd_det.cli.data_checks import check_data
from eakd_det.cli.detectors import is_distillation, set_teacher_classes, unwrap
from eakd_det.cli.failures import run_tool
from eakd_det.cli.resuming import make_resumable, set_resume
from eakd_det.cli.run_results import STUDENT_CONFIG, describe_result
from eakd_det.cli.run_summary import describe_training
from eakd_det.cli.running import build_runner
from eakd_det.cli.translation import config_errors
from eakd_det.cli.unshared_proposals import unshared_proposals
from eakd_det.datasets import apply_data_options
from eakd_det.errors import ConfigError
from eakd_det.models import keep_boxes_in_float32, read_model_config, stock_student_config


def main(argv: Sequence[str] | None = None) -> int:
    """Train and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_train_arguments(argv)
    return run_tool(lambda: train(args))


def train(args: argparse.Namespace) -> Any:
    """Train according to the parsed arguments and return the runner.

    In addition to MMEngine's files, ``<work_dir>/student.py`` is the plain student's config for stock MMDetection, and
    ``student.pth`` has its weights (:class:`eakd_det.resume.SafeCheckpointHook`).

    Raises:
        ConfigError: If a setting, a file or a combination of both cannot work.
    """
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(args)
    _set_amp(cfg, args.amp)
    _set_auto_scale_lr(cfg, args.auto_scale_lr)
    _require_sections(cfg)
    _set_statistics_interval(cfg)
    make_resumable(cfg)
    set_resume(cfg, args.resume)
    check_checkpoints(cfg)
    _check_named_detectors(cfg.model)
    _warn_of_untrained_teacher(cfg)
    if cfg.model.get('class_map') is not None and cfg.model.get('teacher_ckpt'):
        set_teacher_classes(cfg.model, load_checkpoint_file(cfg.model.teacher_ckpt, 'model.teacher_ckpt'))
    cfg = apply_data_options(cfg, 'train')
    check_data(cfg, ('train_dataloader', 'val_dataloader'))
    print_log(describe_training(cfg), logger='current')
    with config_errors(cfg):
        runner = build_runner(cfg)
        if not is_distillation(cfg.model):  # whose detectors are set already
            keep_boxes_in_float32(unwrap(runner.model))
        warning = unshared_proposals(unwrap(runner.model))
        if warning:
            print_log(warning, logger='current', level=logging.WARNING)
        _check_start(runner, cfg)
        _write_student_config(cfg)
        runner.train()
    if is_main_process() and (result := describe_result(cfg)):
        print_log(result, logger='current')
    return runner


def _set_amp(cfg: Config, enabled: bool) -> None:
    if enabled:
        if cfg.get('optim_wrapper') is None:
            raise ConfigError(f'--amp: expected {cfg.filename} to have an optim_wrapper')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'
    if 'AmpOptimWrapper' in str((cfg.get('optim_wrapper') or {}).get('type')) and get_device() in ('cpu', 'mps'):
        raise ConfigError('--amp (optim_wrapper.type=AmpOptimWrapper): expected a GPU, but PyTorch finds none')


def _set_auto_scale_lr(cfg: Config, enabled: bool) -> None:
    if enabled:
        settings = cfg.get('auto_scale_lr') or {}
        if 'base_batch_size' not in settings or 'enable' not in settings:
            raise ConfigError(
                f'--auto-scale-lr: expected auto_scale_lr=dict(enable=..., base_batch_size=...) in {cfg.filename}, '
                f'but got {settings or None}'
            )
        cfg.auto_scale_lr.enable = True


def _set_statistics_interval(cfg: Config) -> None:
    """Set the interval of the statistics to the logger's, unless the config sets it."""
    distiller = cfg.model.get('distiller')
    interval = ((cfg.get('default_hooks') or {}).get('logger') or {}).get('interval')
    if isinstance(distiller, dict) and str(distiller.get('type')).endswith('ProposalDistiller') and interval:
        distiller.setdefault('statistics_interval', interval)


def _require_sections(cfg: Config) -> None:
    absent = [name for name in ('train_dataloader', 'train_cfg', 'optim_wrapper') if cfg.get(name) is None]
    if absent:
        raise ConfigError(f'{", ".join(absent)}: training needs it, but {cfg.filename} does not set it')


def check_checkpoints(cfg: Config) -> None:
    """Check early that the checkpoints exist: a resume loads its file after everything else has been built.

    Raises:
        ConfigError: If a checkpoint that the config names does not exist.
    """
    for key, source in (
        ('--resume' if cfg.get('resume') else 'load_from', cfg.get('load_from')),
        ('model.teacher_ckpt', cfg.model.get('teacher_ckpt')),
    ):
        if source and '://' not in str(source):
            local_checkpoint_path(str(source), key)


def _check_named_detectors(model: dict[str, Any]) -> None:
    """Read the configs that ``cfg_path`` names: MMRazor's own algorithms would end in a traceback."""
    for side in ('architecture', 'teacher'):
        if isinstance(model.get(side), dict) and 'cfg_path' in model[side]:
            read_model_config(model[side], f'model.{side}')


def _warn_of_untrained_teacher(cfg: Config) -> None:
    if is_distillation(cfg.model) and not cfg.model.get('teacher_ckpt') and 'teacher' in cfg.model:
        print_log(
            'model.teacher_ckpt is not set: unless its own config loads weights, the teacher is untrained',
            logger='current',
            level=logging.WARNING,
        )


def _check_start(runner: Any, cfg: Config) -> None:
    """Check that the whole checkpoint fits a resumed run; MMEngine loads what fits and logs the rest."""
    resumes = bool(cfg.get('resume'))
    source = cfg.get('load_from')
    if not source:
        return
    key = '--resume' if resumes else 'load_from'
    checkpoint = load_checkpoint_file(source, key)
    if resumes and (not isinstance(checkpoint.get('meta'), dict) or 'optimizer' not in checkpoint):
        raise ConfigError(
            f'--resume: {source} holds weights, but not the state of a training run; '
            f'to start from these weights, use --cfg-options load_from={source}'
        )
    report = _compare(unwrap(runner.model).state_dict(), checkpoint, key, str(source))
    if not report.matched or (resumes and not report.is_complete):
        raise ConfigError(f'{key}: {source} does not fit the config: {report}; {report.hint}')


def _compare(model: dict[str, Tensor], checkpoint: dict[str, Any], key: str, source: str) -> LoadReport:
    loaded = detector_state_dict(checkpoint, key, source)
    if any(name.startswith('architecture.') for name in model):  # MMRazor's algorithms save their teacher as well
        loaded = checkpoint.get('state_dict', checkpoint)
    return compare_state_dicts(model, loaded)


def _write_student_config(cfg: Config) -> None:
    if not is_main_process():
        return
    path = Path(cfg.work_dir) / STUDENT_CONFIG
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        stock_student_config(cfg).dump(str(path))
    except ConfigError as error:
        print_log(f'{path} was not written: {error}', logger='current', level=logging.WARNING)

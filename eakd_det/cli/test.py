"""Test a detector, the plain student or the teacher of a config: what ``tools/test.py`` runs."""

from __future__ import annotations

import argparse
import copy
import logging
from collections.abc import Sequence
from typing import Any

from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file, load_detector_weights
from eakd_det.cli.arguments import parse_test_arguments
from eakd_det.cli.composition import config_name
from eakd_det.cli.config import load_config
from eakd_det.cli.data_checks import check_data
from eakd_det.cli.detectors import Side, detector_config, is_distillation, set_teacher_classes, unwrap
from eakd_det.cli.failures import run_tool
from eakd_det.cli.running import build_runner
from eakd_det.cli.translation import config_errors
from eakd_det.datasets import apply_data_options
from eakd_det.errors import ConfigError
from eakd_det.evaluation import format_table, measured_figures
from eakd_det.evaluation.coco_eval_hook import TESTED
from eakd_det.teachers import require_same_classes


def main(argv: Sequence[str] | None = None) -> int:
    """Test and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_test_arguments(argv)
    return run_tool(lambda: test(args))


def test(args: argparse.Namespace) -> dict[str, float]:
    """Test according to the parsed arguments and return the metrics.

    For a distillation config, of this package or of MMRazor, only the tested detector is built, and its weights must
    match the checkpoint in full.

    Raises:
        ConfigError: If a setting, a file or a combination of both cannot work.
    """
    setup_cache_size_limit_of_dynamo()
    cfg = load_config(args)
    side: Side = 'teacher' if args.teacher else 'student'
    subject = 'teacher' if args.teacher or _is_config_of_a_teacher(cfg, args.config) else 'student'
    key, source = _checkpoint_source(cfg, args)
    checkpoint = load_checkpoint_file(source, key)
    if args.teacher:
        set_teacher_classes(cfg.model, checkpoint)
    cfg = apply_data_options(cfg, 'test')
    check_data(cfg, ('test_dataloader',))
    with config_errors(cfg):
        cfg.model = detector_config(cfg, side)
        cfg.load_from, cfg.resume = None, False
        if args.show or args.show_dir:
            cfg = trigger_visualization_hook(cfg, args)
        if args.tta:
            _set_tta(cfg)
        runner = build_runner(cfg)
        load_detector_weights(unwrap(runner.model), checkpoint, key, source=source)
        _require_known_classes(runner, checkpoint, f'{key}: {source}')
        if args.out is not None:
            runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=args.out))
        runner.message_hub.update_info(TESTED, dict(subject=subject, checkpoint=source))
        metrics = runner.test()
    if is_main_process():
        print(format_table([(subject, measured_figures(metrics, runner.test_evaluator))]), flush=True)
    return metrics


def _is_config_of_a_teacher(cfg: Config, config: str) -> bool:
    """Return whether this is the plain config of a teacher, judging by its file name."""
    return not is_distillation(cfg.model) and config_name(config).split('_')[0] == 'teacher'


def _checkpoint_source(cfg: Config, args: argparse.Namespace) -> tuple[str, str]:
    if args.out is not None and not args.out.endswith(('.pkl', '.pickle')):
        raise ConfigError(f'--out: expected the name of a pickle file (.pkl, .pickle), but got {args.out}')
    absent = [name for name in ('test_dataloader', 'test_cfg', 'test_evaluator') if cfg.get(name) is None]
    if absent:
        raise ConfigError(f'{", ".join(absent)}: testing needs it, but {cfg.filename} does not set it')
    if args.checkpoint is not None:
        return 'checkpoint', args.checkpoint
    detector_config(cfg, 'teacher')
    if not cfg.model.get('teacher_ckpt'):
        raise ConfigError(f'model.teacher_ckpt: expected a checkpoint to test, but {cfg.filename} has none; pass one')
    return 'model.teacher_ckpt', str(cfg.model.teacher_ckpt)


def _require_known_classes(runner: Any, checkpoint: dict[str, Any], where: str) -> None:
    trained_on = checkpoint_classes(checkpoint)
    tested_on = runner.test_dataloader.dataset.metainfo.get('classes')
    if trained_on is not None and tested_on is not None:
        require_same_classes(tested_on, 'test_dataloader.dataset', trained_on, where)


def _set_tta(cfg: Config) -> None:
    """Wrap the model for test-time augmentation; the default is a flip, as in MMDetection."""
    if 'tta_model' not in cfg:
        _warn('tta_model is not in the config; merging predictions by NMS at IoU 0.5, 100 per image')
        nms = dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100)
        cfg.tta_model = dict(type='DetTTAModel', tta_cfg=nms)
    dataset = cfg.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    if 'tta_pipeline' not in cfg:
        _warn('tta_pipeline is not in the config; testing each image as it is and flipped')
        *loading, packing = copy.deepcopy(list(dataset.pipeline))
        packing.meta_keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction')
        flips = [dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)]
        cfg.tta_pipeline = [*loading, dict(type='TestTimeAug', transforms=[flips, [packing]])]
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline


def _warn(message: str) -> None:
    print_log(f'--tta: {message}', logger='current', level=logging.WARNING)

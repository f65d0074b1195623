"""Parts that training and testing share: the process group without a GPU, the runner, safe checkpoints."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from yapf.yapflib import yapf_api

from eakd_det.arguments import Positive, require
from eakd_det.checkpoint.mmengine_loaders import use_safe_loading
from eakd_det.cli.config_keys import find_key


def build_runner(cfg: Config) -> Any:
    """Build the runner of ``cfg``: MMEngine's own, or the one that ``runner_type`` names."""
    _cache_formatted_text()
    use_safe_loading(lambda path: find_key(cfg._cfg_dict, lambda node: node == path) or 'checkpoint')
    if cfg.launcher == 'pytorch' and get_device() == 'cpu':
        _distribute_on_cpu(cfg)
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def _distribute_on_cpu(cfg: Config) -> None:
    """Use gloo for distributed processes without GPUs, which MMEngine does not provide for."""
    if not torch.distributed.is_initialized():
        seconds = ((cfg.get('env_cfg') or {}).get('dist_cfg') or {}).get('timeout')
        wait = None if seconds is None else timedelta(seconds=require('env_cfg.dist_cfg.timeout', seconds, Positive))
        torch.distributed.init_process_group('gloo', timeout=wait)
    if cfg.get('model_wrapper_cfg') is None:
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get('find_unused_parameters', False),
        )


def formatter_module() -> Any:
    """Return the module in which MMEngine looks up yapf's ``FormatCode``; OneDL's imports it at each call."""
    return mmengine_config if hasattr(mmengine_config, 'FormatCode') else yapf_api


def _cache_formatted_text() -> None:
    """Cache the formatted text of a config: MMEngine formats it for each log and checkpoint, for a second or two."""
    module = formatter_module()
    original = module.FormatCode
    if hasattr(original, '__wrapped__'):
        return
    texts: dict[str, Any] = {}

    @functools.wraps(original)
    def format_once(text: str, **options: Any) -> Any:
        if text not in texts:
            texts.clear()
            texts[text] = original(text, **options)
        return texts[text]

    module.FormatCode = format_once

"""The process of a run. Without a GPU it is forked from a server that has imported the packages once."""

from __future__ import annotations

import dataclasses
import importlib
import multiprocessing
import os
import sys
import warnings
from collections.abc import Mapping
from multiprocessing import forkserver, reduction
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

import torch
from mmengine.device import get_device

_PRELOADED = ('eakd_det.cli.train', 'eakd_det.distillation', 'mmdet.datasets', 'mmdet.evaluation')


@dataclasses.dataclass(frozen=True)
class Task:
    """A tool to call in its own process.

    Args:
        module: The module whose ``main`` is called.
        arguments: Command line for ``main``.
        console: File for its output.
        environment: Variables to set.
        threads: Number of threads; 0 is PyTorch's default.
    """

    module: str
    arguments: list[str]
    console: Path
    environment: Mapping[str, str]
    threads: int = 0


def warm_up() -> None:
    """Start the server that imports the packages, before the first run."""
    context = _context()
    if isinstance(context, ForkServerContext):
        context.set_forkserver_preload(list(_PRELOADED))
        forkserver.ensure_running()


def start_process(task: Task, lock: IO[str]) -> BaseProcess:
    """Start ``task`` in its own process group, which keeps ``lock`` while it lives."""
    warm_up()
    process = _context().Process(target=_work, args=(task, _Inherited(lock)))
    process.start()
    return process


def _context() -> ForkServerContext | SpawnContext:
    """Return the context of processes; with GPUs they are spawned, since a forked process cannot use CUDA."""
    methods = multiprocessing.get_all_start_methods()
    method = 'forkserver' if 'forkserver' in methods and get_device() == 'cpu' else 'spawn'
    return multiprocessing.get_context(method)  # type: ignore[return-value]


class _Inherited:
    """A file that stays open in the receiving process."""

    def __init__(self, file: IO[str]) -> None:
        self._descriptor = file.fileno()

    def __getstate__(self) -> dict[str, Any]:
        return {'sent': reduction.DupFd(self._descriptor)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._descriptor = state['sent'].detach()


def _work(task: Task, lock: _Inherited) -> None:
    os.setsid()  # Ctrl-C is for the parent process, which ends this one
    console = os.open(task.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for standard in (1, 2):
        os.dup2(console, standard)
    os.environ.update(task.environment)
    warnings.simplefilter('default')
    if task.threads:
        torch.set_num_threads(task.threads)
    sys.exit(importlib.import_module(task.module).main(task.arguments))

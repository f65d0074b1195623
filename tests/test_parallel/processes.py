"""Two gloo processes forked from one with all imports, which takes 2 instead of 20 seconds."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

_WAIT = 120.0


def run_in_two(job: Callable[[int], Any], directory: Path) -> list[Any]:
    """Call ``job(rank)`` in two processes of one group and return both results.

    A collective operation that only one process joins fails after 30 seconds.

    Raises:
        AssertionError: If a process fails, with its traceback, or does not end.
    """
    os.environ.update(OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE')  # the fork server inherits them
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['tests.test_parallel.deterministic', 'eakd_det', __name__])
    processes = [context.Process(target=_work, args=(job, rank, str(directory))) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(_WAIT)
    stuck = [rank for rank, process in enumerate(processes) if process.is_alive()]
    for rank in stuck:
        processes[rank].kill()
    failures = [path.read_text() for path in sorted(directory.glob('*.error'))]
    if stuck or failures or any(process.exitcode for process in processes):
        codes = [process.exitcode for process in processes]
        raise AssertionError('\n'.join([f'exit codes {codes}, hanging: {stuck}', *failures]))
    return [torch.load(directory / f'{rank}.pth') for rank in (0, 1)]


def _work(job: Callable[[int], Any], rank: int, directory: str) -> None:
    torch.set_num_threads(1)
    try:
        store = f'file://{directory}/store'
        distributed.init_process_group(
            'gloo', init_method=store, rank=rank, world_size=2, timeout=timedelta(seconds=30)
        )
        torch.save(job(rank), f'{directory}/{rank}.pth')
        distributed.barrier()  # otherwise one could disconnect while the other is still communicating
        distributed.destroy_process_group()
    except BaseException:
        Path(f'{directory}/{rank}.error').write_text(f'rank {rank}: {traceback.format_exc()}')
        raise

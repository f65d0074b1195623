"""A stock script: its main module imports nothing of eakd_det, its dataset needs ``mmcv.ops`` to be unpickled.

Prints, as JSON, which ops each kind of child process has.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from pathlib import Path

import torch
from stock_dataset import StockDataset, origin
from torch.utils.data import DataLoader


def ops_of_worker(method: str) -> str:
    return next(iter(DataLoader(StockDataset(), num_workers=1, multiprocessing_context=method, batch_size=None)))


def rank(number: int, folder: str) -> None:
    found = {'spawned rank': origin(), 'worker of a spawned rank': ops_of_worker('spawn')}
    Path(folder, 'found.json').write_text(json.dumps(found))


if __name__ == '__main__':
    import eakd_det.mm.ops.finder  # noqa: F401

    found = {'main': origin()}
    os.environ.pop('EAKD_DET_OPS')  # not the way by which children are reached
    for method in {'fork', 'forkserver'} & set(multiprocessing.get_all_start_methods()):
        found[f'worker, {method}'] = ops_of_worker(method)
    torch.multiprocessing.spawn(rank, (sys.argv[1],))
    print(json.dumps(found | json.loads(Path(sys.argv[1], 'found.json').read_text())))

"""A stock script: its main module imports nothing of eakd_det, its dataset needs ``mmcv.ops`` to be unpickled.

Prints, as JSON, which ops each kind of child process has.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys

import torch
from stock_dataset import StockDataset, origin
from torch.utils.data import DataLoader

METHODS = [method for method in ('fork', 'spawn', 'forkserver') if method in multiprocessing.get_all_start_methods()]


def rank(_, folder):
    with open(f'{folder}/rank', 'w') as file:
        file.write(origin())


def grandchild(queue):
    queue.put(origin())


def child(queue):
    process = multiprocessing.get_context('spawn').Process(target=grandchild, args=(queue,))
    process.start()
    process.join()


if __name__ == '__main__':
    import eakd_det.mm.ops.finder  # noqa: F401

    os.environ.pop('EAKD_DET_OPS')  # not the way by which children are reached
    found = {'main': origin()}
    for method in METHODS:
        loader = DataLoader(StockDataset(), num_workers=1, multiprocessing_context=method, batch_size=None)
        found[f'data loader, {method}'] = next(iter(loader))
    torch.multiprocessing.spawn(rank, (sys.argv[1],))
    with open(f'{sys.argv[1]}/rank') as file:
        found['spawned rank'] = file.read()
    queue = multiprocessing.get_context('spawn').Queue()
    process = multiprocessing.get_context('spawn').Process(target=child, args=(queue,))
    process.start()
    found['grandchild'] = queue.get(timeout=300)
    process.join()
    print(json.dumps(found))

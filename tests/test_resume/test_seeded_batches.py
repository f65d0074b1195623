from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmengine.dataset import DefaultSampler, InfiniteSampler, pseudo_collate
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

from eakd_det.resume import seeded_batches
from eakd_det.resume.seeded_batches import SeededBatches, can_restart

SIZE = 7


class Draws(Dataset):
    """Samples that consist of their index and a random number of each library."""

    def __init__(self) -> None:
        self.read = 0

    def __len__(self) -> int:
        return SIZE

    def __getitem__(self, index: int) -> Any:
        self.read += 1
        return index, random.random(), float(np.random.rand()), torch.rand(()).item()

    def get_data_info(self, index: int) -> dict[str, int]:
        return dict(width=1 + index % 2, height=1)


def loader(kind: str = 'infinite', workers: int = 0, by_shape: bool = False, seed: int = 0) -> DataLoader:
    dataset = Draws()
    sampler: Any = InfiniteSampler(dataset, seed=seed) if kind == 'infinite' else DefaultSampler(dataset, seed=seed)
    batches = (AspectRatioBatchSampler if by_shape else BatchSampler)(sampler, 2, False)
    return DataLoader(dataset, batch_sampler=batches, num_workers=workers, collate_fn=pseudo_collate)


def first(batches: Any, count: int) -> list[Any]:
    return list(itertools.islice(batches, count))


@pytest.mark.parametrize('by_shape', [False, True])
@pytest.mark.parametrize('kind', ['infinite', 'finite'])
def test_batches_do_not_depend_on_the_starting_position(kind: str, by_shape: bool) -> None:
    whole = first(SeededBatches(loader(kind, by_shape=by_shape), 3).endlessly(0), 12)
    used = loader(kind, by_shape=by_shape)
    first(used, 3)  # MMEngine's loop may have read some by then
    later = SeededBatches(used, 3)
    random.seed(99)

    assert first(later.endlessly(7), 5) == whole[7:]
    assert used.dataset.read == 3 * 2 + sum(len(batch[0]) for batch in whole[7:])  # past samples are not read again


def test_batches_do_not_depend_on_the_number_of_workers() -> None:
    assert first(SeededBatches(loader(workers=2), 3).endlessly(1), 5) == first(
        SeededBatches(loader(), 3).endlessly(1), 5
    )


def test_the_order_is_the_samplers() -> None:
    plain = [batch[0] for batch in first(loader(), 9)]
    assert [batch[0] for batch in first(SeededBatches(loader(), 3).endlessly(0), 9)] == plain


def test_random_numbers_differ_between_samples_and_seeds() -> None:
    def numbers(seed: int) -> list[float]:
        return [
            n for batch in first(SeededBatches(loader(), seed).endlessly(0), 20) for kind in batch[1:] for n in kind
        ]

    one, other = numbers(0), numbers(1)
    assert len(set(one + other)) == len(one) + len(other)
    assert abs(np.mean(one) - 0.5) < 0.1


def test_an_interrupted_epoch_continues_and_the_next_is_complete() -> None:
    def epoch(batches: SeededBatches, number: int) -> list[Any]:
        batches.batch_sampler.sampler.set_epoch(number)
        return list(batches)

    whole = SeededBatches(loader('finite'), 3)
    epochs = [epoch(whole, number) for number in range(3)]
    resumed = SeededBatches(loader('finite'), 3)
    resumed.skip = 3

    assert epoch(resumed, 1) == epochs[1][3:]
    assert epoch(resumed, 2) == epochs[2]
    assert epochs[0] != epochs[1]
    assert len(resumed) == len(epochs[0]) == 4


def test_the_order_can_use_the_seed_of_an_earlier_run() -> None:
    expected = first(SeededBatches(loader(seed=5), 3).endlessly(0), 6)
    assert first(SeededBatches(loader(seed=8), 3, sampler_seed=5).endlessly(0), 6) == expected


def test_positions_are_counted_over_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes augment each sample as a single process would."""
    alone = {tuple(s) for batch in first(SeededBatches(loader(), 3).endlessly(0), 6) for s in zip(*batch, strict=True)}
    both = set()
    for rank in (0, 1):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        monkeypatch.setattr(seeded_batches, 'get_dist_info', lambda rank=rank: (rank, 2))
        batches = first(SeededBatches(loader(), 3).endlessly(0), 3)
        both |= {tuple(s) for batch in batches for s in zip(*batch, strict=True)}
    assert both == alone


def test_other_attributes_are_the_loaders() -> None:
    plain = loader('finite')
    batches = SeededBatches(plain, 3)
    assert batches.dataset is plain.dataset
    assert batches.batch_sampler is plain.batch_sampler


def test_samplers_that_cannot_be_replayed() -> None:
    dataset = Draws()
    assert can_restart(loader())
    assert not can_restart(DataLoader(dataset, sampler=RandomSampler(dataset)))
    assert not can_restart(DataLoader(dataset, batch_size=None))

"""The batches of a data loader from any position on, the same whoever reads them and whatever was read before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from mmdet.datasets.samplers import AspectRatioBatchSampler
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dist import get_dist_info
from torch.utils.data import BatchSampler, DataLoader, Dataset, SequentialSampler

from eakd_det.resume.random_numbers import DATA, seed_random_numbers

_SAMPLERS = (InfiniteSampler, DefaultSampler, SequentialSampler)
_BATCH_SAMPLERS = (BatchSampler, AspectRatioBatchSampler)


class Draw(NamedTuple):
    """A sample that is to be read.

    Attributes:
        epoch: How often the sampler has begun anew.
        position: Its place in the epoch, counted over all processes.
        sample: Which one of the data set.
    """

    epoch: int
    position: int
    sample: int


class SeededBatches:
    """A data loader's batches, each sample augmented by random numbers of its own.

    The numbers derive from seed, epoch and the sample's position. So they are the same in the main process and in
    any number of workers, and past samples need not be read again to go on behind them: the sampler alone is run
    forward. The loader's settings are taken over but for ``persistent_workers``, because each pass starts its own.

    Args:
        loader: The data loader; its sampler must be one of :func:`can_restart`.
        seed: The run's seed.
        sampler_seed: The seed of the order of the samples, if it shall not be the sampler's own.

    Attributes:
        loader: The data loader; what this class does not know is looked up there.
    """

    def __init__(self, loader: DataLoader, seed: int, sampler_seed: int | None = None) -> None:
        self.loader = loader
        self.seed = seed
        self.skip = 0
        if sampler_seed is not None and hasattr(sampler_of(loader), 'seed'):
            sampler_of(loader).seed = sampler_seed

    def __len__(self) -> int:
        return len(self.loader)

    def __getattr__(self, name: str) -> Any:
        if name == 'loader':  # of a copy that is not complete yet
            raise AttributeError(name)
        return getattr(self.loader, name)

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch, as far as the sampler is concerned; those to be skipped are, once."""
        skip, self.skip = self.skip, 0
        epoch = int(getattr(sampler_of(self.loader), 'epoch', 0))
        yield from self._read(_draws(_restarted(self.loader), epoch, skip))

    def endlessly(self, skip: int) -> Iterator[Any]:
        """Batch after batch, beginning the sampler anew where it ends; the first ``skip`` batches are not read."""
        yield from self._read(_endless_draws(self.loader, skip))

    def _read(self, draws: Iterator[list[Draw]]) -> Iterator[Any]:
        loader = self.loader
        options: dict[str, Any] = dict(num_workers=loader.num_workers, collate_fn=loader.collate_fn)
        if loader.num_workers > 0:
            options.update(
                prefetch_factor=loader.prefetch_factor, multiprocessing_context=loader.multiprocessing_context
            )
        return iter(
            DataLoader(
                _SeededDataset(loader.dataset, self.seed),
                batch_sampler=draws,  # an iterator of lists is all it needs
                pin_memory=loader.pin_memory,
                timeout=loader.timeout,
                worker_init_fn=loader.worker_init_fn,
                **options,
            )
        )


def can_restart(loader: DataLoader) -> bool:
    """Whether the order of the loader's samples can be begun again from its start.

    That holds for MMEngine's samplers and for batches as torch and MMDetection's ``AspectRatioBatchSampler`` form them.
    """
    return type(sampler_of(loader)) in _SAMPLERS and type(loader.batch_sampler) in _BATCH_SAMPLERS


class _SeededDataset(Dataset):
    """Reads a sample after seeding for it."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __getitem__(self, draw: Draw) -> Any:
        seed_random_numbers(self.seed, DATA, draw.epoch, draw.position)
        return self.dataset[draw.sample]


def sampler_of(loader: DataLoader) -> Any:
    """The sampler that the batches are made from; beside a batch sampler, ``loader.sampler`` is a dummy of torch's."""
    return getattr(loader.batch_sampler, 'sampler', None)


def _restarted(loader: DataLoader) -> BatchSampler:
    """The loader's batch sampler as new: workers that were started before have made it and its sampler move on."""
    sampler, batches = sampler_of(loader), cast(BatchSampler, loader.batch_sampler)
    if isinstance(sampler, InfiniteSampler):
        sampler.indices = InfiniteSampler(sampler.dataset, sampler.shuffle, sampler.seed).indices
    return type(batches)(sampler, batches.batch_size, batches.drop_last)


def _draws(batches: BatchSampler, epoch: int, skip: int) -> Iterator[list[Draw]]:
    rank, world_size = get_dist_info()
    count = 0
    for number, batch in enumerate(batches):
        if number >= skip:
            yield [Draw(epoch, (count + slot) * world_size + rank, index) for slot, index in enumerate(batch)]
        count += len(batch)


def _endless_draws(loader: DataLoader, skip: int) -> Iterator[list[Draw]]:
    epoch = number = 0
    while True:
        sampler = sampler_of(loader)
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(epoch)
        for batch in _draws(_restarted(loader), epoch, 0):
            if number >= skip:
                yield batch
            number += 1
        epoch += 1

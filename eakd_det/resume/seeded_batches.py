"""Read a data loader from any position, with batches that depend on the position alone."""

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
    """A sample to read.

    Attributes:
        epoch: Number of completed passes of the sampler.
        position: Position in the epoch, counted over all processes.
        sample: Index in the data set.
    """

    epoch: int
    position: int
    sample: int


class SeededBatches:
    """The batches of a data loader, with random numbers seeded for each sample.

    The seeds derive from the run's seed, the epoch and the sample's position. They are therefore the same for any
    number of workers, and skipping batches only advances the sampler. All settings of the loader apply except
    ``persistent_workers``: each pass starts its own workers.

    Args:
        loader: The data loader; :func:`can_restart` must hold.
        seed: The run's seed.
        sampler_seed: Seed of the order of the samples. Defaults to the sampler's own.

    Attributes:
        loader: The data loader; unknown attributes are looked up there.
        skip: Number of batches that the next pass leaves out.
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
        if name == 'loader':  # in a copy that is not initialised yet
            raise AttributeError(name)
        return getattr(self.loader, name)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of one pass of the sampler, without the first ``skip`` in the first pass."""
        skip, self.skip = self.skip, 0
        epoch = int(getattr(sampler_of(self.loader), 'epoch', 0))
        yield from self._read(_draws(_restarted(self.loader), epoch, skip))

    def endlessly(self, skip: int) -> Iterator[Any]:
        """Yield batches without end, restarting the sampler as needed; the first ``skip`` batches are not read."""
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
                batch_sampler=draws,  # an iterator of lists is enough
                pin_memory=loader.pin_memory,
                timeout=loader.timeout,
                worker_init_fn=loader.worker_init_fn,
                **options,
            )
        )


def can_restart(loader: DataLoader) -> bool:
    """Return whether the order of the loader's samples can be replayed from its start.

    It can for the samplers of MMEngine, torch's ``SequentialSampler`` and MMDetection's ``AspectRatioBatchSampler``.
    """
    return type(sampler_of(loader)) in _SAMPLERS and type(loader.batch_sampler) in _BATCH_SAMPLERS


class _SeededDataset(Dataset):
    """Seed the random numbers of each sample before reading it."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed

    def __getitem__(self, draw: Draw) -> Any:
        seed_random_numbers(self.seed, DATA, draw.epoch, draw.position)
        return self.dataset[draw.sample]


def sampler_of(loader: DataLoader) -> Any:
    """Return the sampler of the batches; with a batch sampler, ``loader.sampler`` is only a placeholder."""
    return getattr(loader.batch_sampler, 'sampler', None)


def _restarted(loader: DataLoader) -> BatchSampler:
    """Return the loader's batch sampler reset to its start: earlier workers have advanced it and its sampler."""
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

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from eakd_det.lab.analysis import ProposalTable
from tests import tiny, tiny_data


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='session')
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('analysis') / 'data', train=6, val=3)


@pytest.fixture(scope='session')
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Weights of a student and of a teacher that fit ``tiny_data.distill_config``."""
    folder = tmp_path_factory.mktemp('checkpoints')
    paths = []
    for seed, name in enumerate(('student', 'teacher')):
        path = folder / f'{name}.pth'
        torch.save(dict(state_dict=tiny.build(tiny.faster_rcnn(), seed).state_dict(), meta={}), path)
        paths.append(str(path))
    return paths[0], paths[1]


@pytest.fixture
def config(tmp_path: Path, data_root: Path, checkpoints: tuple[str, str]) -> str:
    return tiny_data.dump(tiny_data.distill_config(data_root, checkpoints[1]), tmp_path / 'config.py')


def make_table(count: int = 60, classes: int = 3, embeddings: int = 0, seed: int = 0) -> ProposalTable:
    """A table of random logits that lean towards the labels, on three images of 80 x 64 pixels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes + 1, count)
    leaning = np.eye(classes + 1)[labels]
    corner = rng.uniform(0, 40, (count, 2))
    extra = {}
    if embeddings:
        noise = rng.normal(size=(2, count, embeddings))
        centres = rng.normal(size=(classes + 1, embeddings))[labels]
        extra = dict(
            student_embeddings=(noise[0] + centres).astype(np.float32),
            teacher_embeddings=(noise[1] + 3 * centres).astype(np.float32),
        )
    return ProposalTable(
        student_logits=(rng.normal(size=leaning.shape) + leaning).astype(np.float32),
        teacher_logits=(2 * rng.normal(size=leaning.shape) + 4 * leaning).astype(np.float32),
        labels=labels,
        boxes=np.concatenate([corner, corner + rng.uniform(5, 20, (count, 2))], axis=1).astype(np.float32),
        images=np.sort(rng.integers(0, 3, count)).astype(np.int32),
        image_paths=np.array(['1.png', '2.png', '3.png']),
        classes=np.array([f'class {index}' for index in range(classes)]),
        origin=dict(config='some_config.py', seed=seed),
        **extra,
    )

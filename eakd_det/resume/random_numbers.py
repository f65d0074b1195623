"""Random numbers that depend on the position in the training alone."""

from __future__ import annotations

import random

import numpy as np
import torch

DATA = 0
STEP = 1


def seed_random_numbers(*key: int) -> None:
    """Seed Python, NumPy and PyTorch from non-negative integers, such as (seed, iteration).

    Different keys give independent numbers (NumPy's ``SeedSequence``).

    Example:
        >>> seed_random_numbers(0, 7)
        >>> first = random.random(), np.random.rand(), torch.rand(()).item()
        >>> seed_random_numbers(0, 7)
        >>> first == (random.random(), np.random.rand(), torch.rand(()).item())
        True
    """
    first, second, *third = (int(word) for word in np.random.SeedSequence(key).generate_state(4))
    random.seed(first)
    np.random.seed(second)
    torch.manual_seed(third[0] << 32 | third[1])

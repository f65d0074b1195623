from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from eakd_det.mm.ops import finder
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops


@pytest.fixture
def compiled() -> Any:
    """mmcv's compiled kernels."""
    if finder.uses_python_ops():
        pytest.skip('no compiled mmcv')
    import mmcv.ops

    return mmcv.ops


@pytest.fixture
def torchvision() -> Any:
    if torchvision_ops() is None:
        pytest.skip('no torchvision that loads')
    return torchvision_ops()


@pytest.fixture
def threads() -> Iterator[Any]:
    """Set the number of threads; restored afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)

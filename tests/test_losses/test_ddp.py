"""Losses with parameters of their own, trained by two processes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from eakd_det.losses import EmbeddingLoss, KDLoss, PADLoss
from tests.test_parallel.processes import run_in_two

ROWS = (5, 0)  # proposals of each process in the first step; swapped in the second


class Student(nn.Module):
    """One linear layer each for embeddings and logits, and the losses that train with it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fc_cls = nn.Linear(4, 6), nn.Linear(6, 3)
        self.ctkd = KDLoss(dict(type='LearnedTemperature', ramp_iters=1), weighting=dict(type='EntropyWeighting'))
        self.l2 = EmbeddingLoss(6, 8, weighting=dict(type='HardProposalWeighting'))
        self.pad = PADLoss(6, 8, warmup_iters=1)

    def forward(self, inputs: Tensor, logits_T: Tensor, embeddings_T: Tensor) -> Tensor:
        embeddings_S = self.body(inputs)
        logits_S = self.fc_cls(embeddings_S)
        embeddings = dict(embeddings_S=embeddings_S, embeddings_T=embeddings_T)
        pad = self.pad(logits_S, logits_T, **embeddings)
        return self.ctkd(logits_S, logits_T) + self.l2(logits_S, logits_T, **embeddings) + pad


def _train(rank: int) -> dict[str, Tensor]:
    torch.manual_seed(0)
    model = DistributedDataParallel(Student(), broadcast_buffers=False)  # as MMEngine, and find_unused_parameters=False
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(rank)
    for rows in (ROWS[rank], ROWS[1 - rank]):
        loss = model(*(torch.randn(rows, width, generator=generator) for width in (4, 3, 8)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.module.state_dict()


def test_parameters_stay_the_same_in_all_processes(tmp_path: Path):
    first, second = run_in_two(_train, tmp_path)
    torch.manual_seed(0)
    initial = Student()
    for name, parameter in initial.named_parameters():
        torch.testing.assert_close(first[name], second[name], rtol=0, atol=0)
        assert not torch.equal(first[name], parameter), name
    assert first['ctkd.tau.iterations.count'] == second['ctkd.tau.iterations.count'] == 2


def _divide_by_objects(rank: int) -> Tensor:
    layer = DistributedDataParallel(_layer())
    inputs, teacher, objects = (part[rank::2] for part in _sites())
    KDLoss(reduction='objects')(layer(inputs), teacher, objects=objects).backward()
    return layer.module.weight.grad


def _layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(4, 3)


def _sites() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    objects = torch.tensor([True, False, True, False, True, True, False, False])
    return torch.randn(8, 4, generator=generator), torch.randn(8, 3, generator=generator), objects


def test_two_processes_divide_by_the_objects_of_both(tmp_path: Path):
    """Three objects in one process and one in the other weigh as four in a single one."""
    gradients = run_in_two(_divide_by_objects, tmp_path)
    layer, (inputs, teacher, objects) = _layer(), _sites()
    KDLoss(reduction='objects')(layer(inputs), teacher, objects=objects).backward()
    for gradient in gradients:
        torch.testing.assert_close(gradient, layer.weight.grad)

"""The losses in MMRazor's own algorithm and distiller."""

from __future__ import annotations

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as MMRAZOR_MODELS
from torch import nn

from eakd_det import losses
from eakd_det.registry import MODELS
from tests.test_losses.test_contract import LOSSES

RECORDED = {'preds_S', 'preds_T', 'gt_labels'}
OF_LOGITS = {name: cfg for name, cfg in LOSSES.items() if RECORDED.issuperset(getattr(losses, cfg['type'])._required)}


class LabelGate(nn.Module):
    """Passes labels through, so that MMRazor's recorders can see them."""

    def forward(self, labels):
        return labels


@MODELS.register_module(force=True)
class ToyClassifier(BaseModel):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, width), nn.ReLU())
        self.fc_cls = nn.Linear(width, 5)
        self.label_gate = LabelGate()

    def forward(self, inputs, data_samples=None, mode='tensor'):
        logits = self.fc_cls(self.body(inputs))
        if mode != 'loss':
            return logits
        return dict(loss_cls=nn.functional.cross_entropy(logits, self.label_gate(data_samples)))


def _record(name, source):
    return dict(recorder=name, from_student=source == 'student')


def _algorithm(loss):
    loss = dict(loss, type=f'eakd_det.{loss["type"]}')
    recorders = dict(
        logits=dict(type='ModuleOutputs', source='fc_cls'), labels=dict(type='ModuleOutputs', source='label_gate')
    )
    model = dict(
        _scope_='mmrazor',
        type='SingleTeacherDistill',
        architecture=dict(type='eakd_det.ToyClassifier', width=4),
        teacher=dict(type='eakd_det.ToyClassifier', width=16),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=recorders,
            teacher_recorders=dict(logits=recorders['logits']),
            distill_losses=dict(loss_distill=loss),
            loss_forward_mappings=dict(
                loss_distill=dict(
                    preds_S=_record('logits', 'student'),
                    preds_T=_record('logits', 'teacher'),
                    gt_labels=_record('labels', 'student'),
                )
            ),
        ),
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MMRAZOR_MODELS.build(model)


@pytest.mark.parametrize('cfg', OF_LOGITS.values(), ids=OF_LOGITS)
def test_trains_in_a_configurable_distiller(cfg):
    algorithm = _algorithm(cfg)
    inputs, labels = torch.randn(32, 6), torch.randint(5, (32,))
    optimizer = torch.optim.Adam([p for p in algorithm.parameters() if p.requires_grad], lr=0.01)
    history = []
    for _ in range(40):
        losses = algorithm(inputs, labels, mode='loss')
        history.append(losses['distill.loss_distill'].item())
        optimizer.zero_grad()
        losses['distill.loss_distill'].backward()
        optimizer.step()
    assert history[-1] < 0.9 * history[0]
    student, teacher = (model(inputs) for model in (algorithm.student, algorithm.teacher))
    loss = algorithm.distiller.distill_losses['loss_distill']
    value = algorithm(inputs, labels, mode='loss')['distill.loss_distill']
    torch.testing.assert_close(value, loss(student, teacher, labels))

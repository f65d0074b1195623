"""What used to end in a traceback, or in a line that hid the cause."""

from __future__ import annotations

import importlib.util

import pytest
from mmengine.config import Config

from eakd_det.cli import data_checks
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, one_error

OWN_LOSS = """
from mmrazor.registry import MODELS
from torch import nn

@MODELS.register_module(force=True)
class OwnLoss(nn.Module):
    def __init__(self, tau=1.0):
        super().__init__()
        self.scale = 1 / tau

    def forward(self, preds_S, preds_T):
        return (preds_S - preds_T).square().mean() * self.scale
"""


def error_of(workspace: Workspace, cfg: Config, capsys: pytest.CaptureFixture) -> str:
    assert workspace.train(workspace.write(cfg)) == 1
    return one_error(capsys.readouterr())


def test_a_broken_image_in_testing(
    workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, teacher_ckpt: str
) -> None:
    monkeypatch.setattr(data_checks, '_SAMPLE', 1)  # which misses it
    (workspace.data / 'val' / '2.png').write_bytes(b'<html>')
    assert workspace.test(workspace.write(tiny_data.student_config(workspace.data)), teacher_ckpt) == 1
    assert '2.png: expected an image, but it cannot be read' in one_error(capsys.readouterr())


@pytest.mark.parametrize('workers', [0, 1])
def test_a_broken_image_in_training(
    workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(data_checks, '_SAMPLE', 1)
    path = workspace.data / 'train' / '3.png'
    path.write_bytes(path.read_bytes()[:100])
    cfg = tiny_data.student_config(workspace.data, iters=4)
    cfg.train_dataloader.update(num_workers=workers, persistent_workers=False)
    assert '3.png: expected an image, but it cannot be read' in error_of(workspace, cfg, capsys)


@pytest.mark.parametrize('algorithm', ['eakd_det.ProposalDistill', 'mmrazor.SingleTeacherDistill'])
@pytest.mark.parametrize('name', ['mmdet::no/such.py', 'nothing::no/such.py'])
def test_a_cfg_path_that_is_not_there(
    workspace: Workspace, capsys: pytest.CaptureFixture, name: str, algorithm: str
) -> None:
    cfg = tiny_data.distill_config(workspace.data, None, iters=1)
    cfg.model.type = algorithm
    cfg.model.teacher = dict(cfg_path=name, pretrained=False)
    assert f'model.teacher: {name} cannot be read' in error_of(workspace, cfg, capsys)


@pytest.mark.skipif(importlib.util.find_spec('tensorboard') is not None, reason='TensorBoard is installed')
def test_a_backend_without_its_package(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    cfg.visualizer = dict(type='DetLocalVisualizer', vis_backends=cfg.vis_backends, name='a_backend_without')
    assert 'TensorboardVisBackend needs a package: ' in error_of(workspace, cfg, capsys)


def test_a_mask_head_without_outlines(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.model = tiny.faster_rcnn(base='mask-rcnn_r50_fpn')
    assert 'expected outlines (segmentation)' in error_of(workspace, cfg, capsys)
    content = tiny_data.read_annotations(workspace.data, 'train')
    for item in content['annotations']:
        x, y, width, height = item['bbox']
        item['segmentation'] = [[x, y, x + width, y, x + width, y + height]]
    tiny_data.write_annotations(workspace.data, 'train', content)
    assert 'expected LoadAnnotations with with_mask=True' in error_of(workspace, cfg, capsys)


def test_an_own_loss_that_cannot_use_its_argument(
    workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / 'own_loss.py').write_text(OWN_LOSS)
    monkeypatch.syspath_prepend(workspace.root)
    cfg = tiny_data.distill_config(workspace.data, None, iters=1)
    cfg.custom_imports = dict(imports=['own_loss'])
    cfg.model.distiller = dict(
        type='eakd_det.ProposalDistiller',
        distill_losses=dict(loss_own=dict(type='OwnLoss', tau='two')),
        loss_forward_mappings=dict(
            loss_own=dict(
                preds_S=dict(recorder='proposal_logits', from_student=True),
                preds_T=dict(recorder='proposal_logits', from_student=False),
            )
        ),
    )
    error = error_of(workspace, cfg, capsys)
    assert "model.distiller.distill_losses.loss_own: OwnLoss cannot be built with {'tau': 'two'}" in error


def test_custom_imports_name_what_is_missing(
    workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace.root / 'needs_more.py').write_text('import no_such_dependency\n')
    monkeypatch.syspath_prepend(workspace.root)
    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.custom_imports = dict(imports=['needs_more'], allow_failed_imports=False)
    error = error_of(workspace, cfg, capsys)
    assert "custom_imports: No module named 'no_such_dependency'" in error
    assert 'sys.path' not in error

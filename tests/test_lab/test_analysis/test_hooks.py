"""What the hooks write in a real run, and that training does not notice."""

from __future__ import annotations

import json
import math
import uuid
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from eakd_det.distillation import Step, StepObservation
from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight, entropy, kd_divergence
from eakd_det.lab.analysis import ProposalEntropyHook, ProposalWeightVisualizationHook
from eakd_det.lab.analysis.step_record import loss_shares, record_step
from eakd_det.losses import Terms
from eakd_det.sites import Prediction, Sites, SoftmaxScores
from tests import tiny_data

ENTROPY = dict(type='eakd_det.ProposalEntropyHook', interval=2)
PICTURES = dict(type='eakd_det.ProposalWeightVisualizationHook', interval=3, num_images=2)


def run(cfg: Config, work_dir, hooks: list, **changes) -> Runner:
    cfg.work_dir = str(work_dir)
    # MMEngine names a run by the second; the next run of that second would write to this one's folder.
    cfg.experiment_name = f'{work_dir.name}-{uuid.uuid4().hex}'
    cfg.custom_hooks = hooks
    cfg.merge_from_dict(changes)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


@pytest.fixture
def cfg(data_root, checkpoints) -> Config:
    cfg = tiny_data.distill_config(data_root, checkpoints[1], iters=4)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=2)
    return cfg


class TestInARun:
    def test_lines_and_pictures(self, tmp_path, cfg):
        runner = run(cfg, tmp_path, [ENTROPY, PICTURES])
        rows = [json.loads(line) for line in (tmp_path / 'proposal_entropy.jsonl').read_text().splitlines()]
        assert [row['iter'] for row in rows] == [1, 3]
        for row in rows:
            assert (row['proposals'], row['classes'], row['tau']) == (64, 4, 3.0)
            assert 0 < row['student']['mean'] <= math.log(4) * (1 + 1e-6)
            for key in ('share', 'plain_share'):
                assert sum(row['losses']['loss_kd'][key]) == pytest.approx(1)
        pictures = sorted(path.name for path in tmp_path.glob('*/vis_data/vis_image/*'))
        assert pictures == [f'proposal_weights_{image}_{step}.png' for image in (0, 1) for step in (1, 4)]
        picture = cv2.imread(str(next(tmp_path.glob('*/vis_data/vis_image/proposal_weights_0_1.png'))))
        assert picture.shape[1] > 800
        assert picture.std() > 20
        assert runner.model.distiller.observer is None

    def test_training_is_the_same_with_and_without(self, tmp_path, cfg):
        watched = run(cfg.copy(), tmp_path / 'with', [dict(ENTROPY, interval=1), dict(PICTURES, interval=1)])
        alone = run(cfg.copy(), tmp_path / 'without', [])
        for (name, one), two in zip(watched.model.state_dict().items(), alone.model.state_dict().values(), strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0, msg=name)

    def test_resumed_run_goes_on_where_it_was(self, tmp_path, cfg):
        hooks = [dict(ENTROPY, interval=1)]
        run(cfg.copy(), tmp_path, hooks)
        resumed = cfg.copy()
        run(resumed, tmp_path, hooks, load_from=str(tmp_path / 'iter_2.pth'), resume=True)
        lines = (tmp_path / 'proposal_entropy.jsonl').read_text().splitlines()
        assert [json.loads(line)['iter'] for line in lines] == [1, 2, 3, 4]
        run(cfg.copy(), tmp_path, [ENTROPY])
        assert len((tmp_path / 'proposal_entropy.jsonl').read_text().splitlines()) == 2

    def test_a_line_that_a_killed_process_left_half_is_dropped(self, tmp_path, cfg):
        hooks = [dict(ENTROPY, interval=1)]
        run(cfg.copy(), tmp_path, hooks)
        record = tmp_path / 'proposal_entropy.jsonl'
        first, second = record.read_text().splitlines(keepends=True)[:2]
        record.write_text(first + second[:20])
        run(cfg.copy(), tmp_path, hooks, load_from=str(tmp_path / 'iter_2.pth'), resume=True)
        assert [json.loads(line)['iter'] for line in record.read_text().splitlines()] == [1, 3, 4]

    def test_statistics_arrive_at_the_backends_as_scalars(self, tmp_path, cfg):
        run(cfg, tmp_path, [])
        scalars = [json.loads(line) for line in next(tmp_path.glob('*/vis_data/scalars.json')).read_text().splitlines()]
        names = set(scalars[0])
        assert {'distill.kd.fg_weight', 'distill.kd.bg_weight_std', 'distill.entropy_teacher'} <= names

    def test_a_plain_student_is_refused(self, tmp_path, data_root):
        cfg = tiny_data.student_config(data_root, iters=1)
        with pytest.raises(ConfigError, match=r'custom_hooks: ProposalEntropyHook expects model\.type'):
            run(cfg, tmp_path, [ENTROPY])


@pytest.mark.parametrize(
    ('hook', 'arguments', 'key'),
    [
        (ProposalEntropyHook, dict(interval=0), 'interval'),
        (ProposalEntropyHook, dict(tau=-1.0), 'tau'),
        (ProposalWeightVisualizationHook, dict(interval=True), 'interval'),
        (ProposalWeightVisualizationHook, dict(num_images=0), 'num_images'),
    ],
)
def test_arguments(hook, arguments, key):
    with pytest.raises(ConfigError, match=rf'^{hook.__name__}\.{key}: '):
        hook(**arguments)


class TestRecord:
    def test_against_the_formulas(self):
        torch.manual_seed(0)
        student, teacher, labels = torch.randn(40, 5), 3 * torch.randn(40, 5), torch.randint(0, 5, (40,))
        sites = Sites(torch.zeros(40), labels, labels != 4, where=None)
        head = SimpleNamespace(scores=SoftmaxScores(4))
        observation = StepObservation(Step(head, sites, Prediction(student), Prediction(teacher)))
        divergence, weights = kd_divergence(student, teacher), ea_weight(student, teacher)
        observation.keep_terms('loss_kd', Terms(divergence, weights))
        observation.keep_terms('loss_images', Terms(divergence, weights, unit='image'))
        row = record_step(observation, tau=2.0)
        teacher_entropy = entropy(teacher, 2.0)
        assert row['teacher']['foreground'] == pytest.approx(float(teacher_entropy[labels != 4].mean()), rel=1e-6)
        assert list(row['losses']) == ['loss_kd']
        top = teacher_entropy.argsort()[30:]
        expected = float((weights * divergence)[top].sum() / (weights * divergence).sum())
        assert row['losses']['loss_kd']['share'][3] == pytest.approx(expected, rel=1e-5)
        expected = float(divergence[top].sum() / divergence.sum())
        assert row['losses']['loss_kd']['plain_share'][3] == pytest.approx(expected, rel=1e-5)
        assert json.loads(json.dumps(row)) == row

    def test_nothing_distilled(self):
        assert record_step(StepObservation()) == {}

    def test_loss_of_zero(self):
        assert loss_shares(np.zeros(4), np.zeros(4), np.arange(4.0)) == dict(
            share=[0.0] * 4, plain_share=[0.0] * 4, weight_mean=0.0, weight_cv=0.0
        )

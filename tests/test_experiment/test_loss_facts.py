from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mmengine.runner import Runner

from eakd_det.experiment.loss_facts import loss_facts
from tests import tiny_data


def write(folder: Path, name: str, lines: list[Any]) -> None:
    (folder / name / 'vis_data').mkdir(parents=True)
    text = '\n'.join(map(json.dumps, lines)) + '\n{"distill.kd.fg_wei'
    (folder / name / 'vis_data' / 'scalars.json').write_text(text)


def reading(iteration: int, weight: float | None = None, ratio: float | None = None) -> dict[str, Any]:
    line = {'distill.statistics_iter': iteration, 'distill.kd.fg_weight': weight, 'distill.ratio_to_detection': ratio}
    return {key: value for key, value in line.items() if value is not None}


def test_iterations_count_and_not_lines(tmp_path):
    """Epochs of 20 batches: two lines repeat iteration 1, two the mean of 1 to 50; the last reading is of 10."""
    lines = (
        [reading(1, 9.0, 9.0)] * 2 + [reading(50, 2.0, 0.2)] * 2 + [reading(60, 5.0, 0.8), {'coco/bbox_mAP': 0.3}, 7]
    )
    write(tmp_path, '20260101', lines)
    assert loss_facts(tmp_path) == dict(foreground_weight=2.5, distillation_to_detection=0.3)


def test_a_resumed_run_has_several_logs(tmp_path):
    write(tmp_path, '20260101', [reading(50, 1.0), reading(100, 9.0)])
    write(tmp_path, '20260102', [reading(100, 2.0), reading(150, 3.0)])  # from iteration 50 on, again
    assert loss_facts(tmp_path) == dict(foreground_weight=2.0)


def test_a_run_of_one_reading(tmp_path):
    write(tmp_path, '20260101', [reading(1, 4.0)])
    assert loss_facts(tmp_path) == dict(foreground_weight=4.0)


def test_a_run_without_distillation_has_none(tmp_path):
    assert loss_facts(tmp_path) == {}


def test_a_real_run(tmp_path):
    """Two batches an epoch, a line at the end of each; readings at 1, 3 and 6 of 6."""
    data = tiny_data.make_coco(tmp_path / 'data')
    cfg = tiny_data.distill_config(data, None, iters=6)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.model.distiller.statistics_interval = 3
    cfg.default_hooks.logger.interval = 3
    cfg.work_dir = str(tmp_path / 'work')
    runner = Runner.from_cfg(cfg)
    ratios = []
    add_value = runner.model.distiller.statistics.add_value

    def keep(name, value):
        if name == 'ratio_to_detection':
            ratios.append(float(value))
        add_value(name, value)

    runner.model.distiller.statistics.add_value = keep
    runner.train()
    assert len(ratios) == 6
    assert loss_facts(tmp_path / 'work')['distillation_to_detection'] == pytest.approx(sum(ratios) / 6, abs=1e-3)

from __future__ import annotations

import json

from eakd_det.experiment.loss_facts import loss_facts


def test_means_over_all_logs_of_a_run(tmp_path):
    logs = {
        '20260101': [{'distill.kd.fg_weight': 2.0, 'distill.kd.bg_weight': 1.0, 'distill.ratio_to_detection': 0.5}],
        '20260102': [{'distill.kd.fg_weight': 4.0, 'distill.kd.bg_weight': None}, {'coco/bbox_mAP': 0.3}, 7],
    }
    for name, lines in logs.items():
        (tmp_path / name / 'vis_data').mkdir(parents=True)
        text = '\n'.join(map(json.dumps, lines)) + '\n{"distill.kd.fg_wei'
        (tmp_path / name / 'vis_data' / 'scalars.json').write_text(text)
    expected = dict(foreground_weight=3.0, background_weight=1.0, distillation_to_detection=0.5)
    assert loss_facts(tmp_path) == expected


def test_a_run_without_distillation_has_none(tmp_path):
    assert loss_facts(tmp_path) == {}

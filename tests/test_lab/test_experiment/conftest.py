from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import pytest

from eakd_det.lab.experiment.arguments import parse_arguments
from eakd_det.lab.experiment.command import run_experiment
from eakd_det.lab.experiment.records import RunRecord
from eakd_det.lab.experiment.screen import Screen
from tests import tiny_data

START = dict(student='s', batches='b', number_of_batches=8)


def record(arm: str, seed: int, ap: float | None = None, **changes: Any) -> RunRecord:
    """The record of a finished run with that AP; without one, of a missing run."""
    if ap is None:
        return RunRecord(arm, seed, **{'status': 'missing', **changes})
    metrics = {'AP': ap, 'AP50': ap + 0.2, 'AP75': ap - 0.05}
    known = dict(status='finished', metrics=metrics, iterations=500, seconds=100.0, start=START, device='cpu')
    return RunRecord(arm, seed, **{**known, **changes})


class Grid:
    """A plan of tiny detectors on tiny data, and the tool to run it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = tiny_data.make_coco(root / 'data')
        self.work_dir = root / 'out'
        student = tiny_data.student_config(self.data, iters=2)
        tiny_data.dump(student, root / 'student.py')
        tiny_data.dump(tiny_data.distill_config(self.data, None, iters=2), root / 'ea-kd.py')
        self.write_plan()

    @property
    def plan(self) -> Path:
        return self.root / 'plan.py'

    def write_plan(self, **changes: Any) -> None:
        plan = dict(
            title='Shapes',
            seeds=[0],
            teacher=dict(config='student.py', seed=7),
            control='kd',
            arms={
                'student': dict(config='student.py'),
                'kd': dict(
                    title='KD',
                    config='ea-kd.py',
                    options={
                        'model.distiller.distill_losses.loss_kd.weighting': dict(
                            type='eakd_det.UniformWeighting', _delete_=True
                        )
                    },
                ),
                'ea-kd': dict(title='EA-KD', config='ea-kd.py'),
            },
        )
        plan.update(changes)
        self.plan.write_text(''.join(f'{key} = {value!r}\n' for key, value in plan.items()))

    def arguments(self, *flags: str) -> argparse.Namespace:
        return parse_arguments([str(self.plan), '--work-dir', str(self.work_dir), '--threads', '1', *flags])

    def run(self, *flags: str) -> tuple[dict[str, Any], str]:
        """Run it; the report, and what the screen showed."""
        stream = io.StringIO()
        report = run_experiment(self.arguments(*flags), Screen(stream))
        return report, stream.getvalue()


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    return Grid(tmp_path)

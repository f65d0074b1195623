"""The arithmetic of the benchmarks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / 'tools' / 'analysis_tools'))

from step_benchmark import dense, losses, report
from step_benchmark.agreement import SeenLogits, compare, logits_of
from step_benchmark.arms import PLAIN, RAZOR_SHIPPED
from step_benchmark.scene import make_scene, sample_proposals
from step_benchmark.sections import Sections
from step_benchmark.timing import Times


def test_overhead_is_computed_per_round():
    times = {
        PLAIN: Times(forward=[1.0, 2.0, 1.0], backward=[1.0, 2.0, 1.0]),
        'ours': Times(forward=[2.0, 4.0, 9.0], backward=[1.0, 2.0, 1.0], loss=[0.001, 0.002, 0.003]),
        report.TEACHER: Times(forward=[2.0, 4.0, 2.0], backward=[0.0, 0.0, 0.0]),
    }
    rows = {row['arm']: row for row in report.summarise(times, {'ours': 'equal'}, {'ours': 100.0})}
    assert rows['ours']['overhead'] == dict(median=0.5, min=0.5, max=4.0)
    assert rows['ours']['relative']['median'] == 1.5
    assert 'overhead' not in rows[PLAIN]
    line = next(line for line in report.markdown(list(rows.values())).splitlines() if line.startswith('| ours'))
    assert line == '| ours | 6.00 (3.00 to 10.00) | 4.00 | 1.00 | 2.0 | 1.500 | 0.50 | equal | 100 |'


@pytest.mark.parametrize(('rows', 'classes'), [(5, 3), (16, 81)])
def test_plain_losses_equal_those_of_the_package(rows, classes):
    row = losses.measure(rows, classes, seconds=0.0)
    assert row['rounds'] == losses.KEPT_ROUNDS
    assert set(losses.LOSSES) <= set(row)


def test_comparison_of_logits():
    logits = torch.randn(4, 5)
    reference = SeenLogits(logits, 10 * logits)
    assert compare(reference, SeenLogits(logits.clone(), 10 * logits)) == 'equal'
    assert compare(reference, SeenLogits(logits, 10.5 * logits)) == 'teacher off by 5.0%'
    assert compare(reference, SeenLogits(logits.flip(0), logits)) == 'other boxes'
    assert compare(reference, None) == 'none'


def test_the_arms_of_a_dense_pair_compare_the_same_logits():
    """CrossKD's own code is not in the repository."""
    scene = make_scene('gfl-r18w32-r18w16', height=64, width=64, images=1, rois=0)
    names = ('ours EA-KD', 'ours CrossKD', RAZOR_SHIPPED)
    logits = [logits_of(dense.build_arm(name, scene), scene.data) for name in names]
    assert [compare(logits[0], other) for other in logits] == ['equal'] * 3
    images, sites = sample_proposals(scene)
    dense.run_teacher(scene.teacher, images, sites.where)
    assert len(logits[0].teacher) == len(sites) == 340
    with pytest.raises(ValueError, match=r'expected the file crosskd_gfl\.py'):
        dense.build_arm(dense.CROSSKD, scene)


def test_a_section_excludes_nested_sections(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr('step_benchmark.sections.time.perf_counter', lambda: clock[0])

    class Thing:
        def outer(self):
            clock[0] += 2
            self.inner()

        def inner(self):
            clock[0] += 5

    thing, sections = Thing(), Sections()
    sections.wrap(thing, 'outer', 'outer')
    sections.wrap(thing, 'inner', 'inner')
    thing.outer()
    thing.inner()
    assert sections.seconds == dict(outer=2, inner=10)

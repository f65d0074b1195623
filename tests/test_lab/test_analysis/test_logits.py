"""Logits before and after standardisation: numbers by hand, and what is on the pictures."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.logit_figures import compare_logits, draw_differences, draw_map, map_logits
from eakd_det.lab.analysis.logit_statistics import class_difference, example_proposal, standardized, summarize
from tests.test_lab.test_analysis.conftest import make_table


def test_a_student_of_another_scale_differs_until_standardised():
    table = make_table(50)
    teacher = table.teacher_logits.astype(float)
    shrunk = dataclasses.replace(table, student_logits=teacher / 7 + 1)
    found = compare_logits(shrunk)['difference']
    assert found['raw']['mean'] > 0.5
    assert found['standardized']['largest'] == pytest.approx(0, abs=1e-6)
    ours, theirs = summarize(teacher / 7 + 1, table.labels), summarize(teacher, table.labels)
    assert ours.std == pytest.approx(theirs.std / 7)
    assert ours.range == pytest.approx(theirs.range / 7)
    assert ours.mean == pytest.approx(theirs.mean / 7 + 1)


def test_standardised_logits_all_lie_on_the_cross():
    logits = standardized(make_table(30).teacher_logits.astype(float))
    np.testing.assert_allclose(logits.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(logits.std(axis=1, ddof=1), 1, atol=1e-5)


def test_difference_by_class_is_of_means_without_the_diagonal():
    student, teacher = np.array([[1.0, 5.0, 0], [3, 5, 0], [0, 0, 9]]), np.array([[0.0, 2.0, 1], [0, 4, 1], [0, 0, 0]])
    found = class_difference(student, teacher, np.array([0, 0, 1]))
    np.testing.assert_allclose(found, [[np.nan, 2, 1], [0, np.nan, 9], [np.nan, np.nan, np.nan]])


def test_the_example_is_an_object_that_the_teacher_gets_right():
    table = make_table(60)
    index = example_proposal(table)
    assert table.is_foreground[index]
    assert not table.teacher_errs[index]
    wrong = dataclasses.replace(table, labels=np.full(60, 3))
    assert 0 <= example_proposal(wrong) < 60


def test_the_map_counts_every_proposal_of_every_network_on_common_axes():
    tables = {'small': make_table(60), 'large': make_table(40, seed=1)}
    found = map_logits(tables, bins=8)
    counts = {name: [np.sum(values) for values in sides.values()] for name, sides in found['counts'].items()}
    assert counts == {'small': [60, 60], 'large': [40, 40]}
    figure = draw_map(found)
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == ['small: teacher', 'small: student', 'large: teacher', 'large: student']
    assert len({axes.get_xlim() for axes in figure.axes[:4]}) == 1
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[0, 1]]
    assert figure.axes[0].get_ylabel() == 'standard deviation of the logits'


def test_the_differences_are_drawn_on_one_scale():
    table = make_table(60)
    runs = {name: compare_logits(table) for name in ('KD', 'LS')}
    figure = draw_differences(runs, ['a', 'b', 'c', 'background'])
    meshes = [axes.images[0] for axes in figure.axes if axes.images]
    assert len({mesh.get_clim() for mesh in meshes}) == 1
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    shown = runs['KD']['proposal']
    assert heights == pytest.approx([*shown['raw']['teacher'], *shown['raw']['student']])
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ['teacher', 'student']


def test_command(tmp_path, capsys):
    for name, seed in (('kd', 0), ('ls', 1)):
        (tmp_path / name).mkdir()
        make_table(60, seed=seed).save(tmp_path / name / 'proposals.npz')
    paths = [str(tmp_path / name / 'proposals.npz') for name in ('kd', 'ls')]
    assert main(['logits', *paths, '--out', str(tmp_path)]) == 0
    record = json.loads((tmp_path / 'logit_difference.json').read_text())
    assert record['table'] in capsys.readouterr().out
    assert list(record['runs']) == ['kd', 'ls']
    assert record['summaries']['ls']['teacher']['std'] == pytest.approx(
        float(make_table(60, seed=1).teacher_logits.astype(float).std(axis=1, ddof=1).mean())
    )
    assert (tmp_path / 'logit_map.png').stat().st_size > 10_000
    make_table(60, classes=4).save(tmp_path / 'other.npz')
    assert main(['logits', paths[0], str(tmp_path / 'other.npz')]) == 1
    assert 'expected the same classes in all' in capsys.readouterr().err

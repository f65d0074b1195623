"""From records to rows: what is compared with what, and that nothing missing gets lost."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from eakd_det.lab.experiment.comparison import make_report
from eakd_det.lab.experiment.page import page
from eakd_det.lab.experiment.plan import Arm, Plan
from eakd_det.lab.experiment.plot import caption
from eakd_det.lab.experiment.table import loss_cells, markdown, notes, question_cells, table_cells
from tests.test_lab.test_experiment.conftest import START, record

ARMS = ('student', 'kd', 'ea-kd')


ASKED = (('Does selection <help>?', 'ea-kd', 'kd'), ('Does KD help?', 'kd', 'student'))


def plan(seeds: tuple[int, ...] = (0, 1, 2), **changes) -> Plan:
    arms = tuple(Arm(name, name.upper(), Path(f'{name}.py')) for name in ARMS)
    return Plan('A <title>', arms, seeds, **{'student': 'student', 'control': 'kd', **changes})


def full() -> list:
    figures = dict(student=(0.20, 0.22, 0.24), kd=(0.25, 0.26, 0.28))
    figures['ea-kd'] = (0.27, 0.26, 0.30)
    return [record(arm, seed, ap) for arm, values in figures.items() for seed, ap in enumerate(values)]


def report(records, the_plan=None, teacher=None):
    commands = {name: f'python tools/experiment.py plan.py --arms {name}' for name in ARMS}
    return make_report(the_plan or plan(), records, teacher or record('teacher', 0, 0.40), 'all of it', commands)


def row(found, name):
    return next(arm for arm in found['arms'] if arm['name'] == name)


def test_a_row():
    found = row(report(full()), 'ea-kd')
    assert found['figures']['AP'] == dict(mean=pytest.approx(0.276667, abs=1e-6), std=pytest.approx(0.020817), n=3)
    assert found['to_student']['AP']['mean'] == pytest.approx(0.056667, abs=1e-6)
    assert found['to_control']['AP75']['n'] == 3
    assert found['gap_recovered'] == pytest.approx(0.0566667 / 0.18, rel=1e-4)
    assert found['runs'] == dict(planned=3, finished=3)


def test_references_are_not_compared_with_themselves():
    found = report(full())
    assert row(found, 'student')['to_student'] == {}
    assert row(found, 'kd')['to_control'] == {}
    assert row(found, 'kd')['to_student']['AP']['mean'] == pytest.approx(0.043333, abs=1e-6)


def test_missing_and_failed_runs_show_and_are_not_averaged():
    records = [run for run in full() if (run.arm, run.seed) not in {('ea-kd', 1), ('ea-kd', 2)}]
    records += [record('ea-kd', 1), record('ea-kd', 2, status='failed', error='exit status 1: no such file')]
    found = report(records)
    assert row(found, 'ea-kd')['figures']['AP'] == dict(mean=0.27, std=None, n=1)
    assert row(found, 'ea-kd')['to_control']['AP'] == dict(mean=pytest.approx(0.02), low=None, high=None, n=1)
    text = markdown(found)
    assert '1 of 3: 1 failed, 1 missing' in text
    assert 'ea-kd, seed 2: failed: exit status 1: no such file.' in text
    assert '1 failed, 1 missing' in page(found)


def test_an_arm_without_any_run_is_named_and_has_no_row():
    never = [run for run in full() if run.arm != 'kd'] + [record('kd', seed) for seed in range(3)]
    found = report(never, plan(questions=ASKED))
    assert [cells[0] for cells in table_cells(found)[1]] == ['teacher', 'STUDENT', 'EA-KD']
    assert question_cells(found)[1] == []
    assert 'Not run: KD.' in notes(found)
    assert row(found, 'ea-kd')['to_control'] == {}
    assert '>KD<' not in page(found)
    assert 'the difference to STUDENT' in caption(found)
    failed = report([run for run in full() if run.arm != 'kd'] + [record('kd', 0, status='failed', error='no file')])
    assert [cells[0] for cells in table_cells(failed)[1]] == ['teacher', 'STUDENT', 'KD', 'EA-KD']
    assert 'no finished run' in page(failed)


def test_other_weights_or_batches_are_a_warning():
    records = full()
    records[-1] = record('ea-kd', 2, 0.3, start={**START, 'student': 'other'})
    found = report(records)
    assert found['same_start']['same'] is False
    assert notes(found)[0] == 'Warning: the initial student weights of ea-kd differ from those of student, kd (seed 2).'
    records[-1] = record('ea-kd', 2, 0.3, start={})
    assert 'has no checksums' in notes(report(records))[0]
    assert 'class="warning"' in page(found)


def test_a_teacher_that_is_not_better_than_the_student_is_a_warning():
    found = report(full(), teacher=record('teacher', 0, 0.22))
    assert notes(found)[0].startswith("Warning: the teacher's AP, 22.0, is not above the plain student's, 22.0")
    assert 'class="warning"' in page(found)
    assert not any(line.startswith('Warning') for line in notes(report(full())))


def test_same_start_is_said_and_unknown_is_not_called_same():
    assert report(full())['same_start'] == dict(same=True, seeds=3, batches=8, warnings=[])
    assert any(line.startswith('Same start, checked for 3 seeds') for line in notes(report(full())))
    alone = report([record('student', 0, 0.2)], plan((0,)))
    assert alone['same_start']['same'] is None
    assert any('not checked' in line for line in notes(alone))


def test_published_numbers_stand_beside_the_measured_ones():
    found = report(full(), plan(published='r101-r18'))
    headings, rows = table_cells(found)
    column = headings.index('published AP / AP50 / AP75')
    by_title = {cells[0]: cells[column] for cells in rows}
    assert by_title['EA-KD'] == '34.78 / 56.14 / 37.19'
    assert by_title['teacher'] == '42.04 / 62.48 / 45.88'
    assert any("Detectron2's R101-FPN 3x" in line and '41.8' in line for line in notes(found))
    assert 'published AP / AP50 / AP75' not in table_cells(report(full()))[0]


def test_resumes_are_said():
    records = full()
    records[0] = record('student', 0, 0.2, resumes=1)
    text = '\n'.join(notes(report(records)))
    assert 'Resumed runs: student, seed 0' in text


def test_every_row_has_its_command_and_all_rows_are_as_long():
    for found in (report(full()), report(full(), plan(published='r50-mv2')), report(full(), plan(control=None))):
        headings, rows = table_cells(found)
        assert {len(cells) for cells in rows} == {len(headings)}
        assert [cells[-1] for cells in rows[1:]] == [f'python tools/experiment.py plan.py --arms {n}' for n in ARMS]


def test_commands_stand_apart_from_the_figures():
    html = page(report(full()))
    figures = html[: html.index('<details>')]
    assert 'plan.py --arms' not in figures[figures.index('<table>') :]
    assert html.count('<td class="code">') == 4 + 10  # rows of the table, and runs


def test_the_report_is_json_and_the_page_needs_nothing_else():
    found = report(full())
    assert json.loads(json.dumps(found)) == found
    html = page(found)
    assert 'A &lt;title&gt;' in html
    assert '<svg' in html
    for needle in ('src=', 'href="http', '<link', '<script', '@import', '<!DOCTYPE svg', 'url(http'):
        assert needle not in html, needle


def test_questions_are_answered_by_the_difference_of_two_arms():
    found = report(full(), plan(questions=ASKED))
    first, second = found['questions']
    assert first['difference']['AP']['mean'] == pytest.approx(0.04 / 3, abs=1e-6)
    assert second['difference']['AP'] == row(found, 'kd')['to_student']['AP']
    headings, rows = question_cells(found)
    assert rows[0][:2] == ['Does selection <help>?', 'EA-KD - KD']
    assert rows[0][2].startswith('+1.3 [')
    assert rows[0][-1] == '3'
    assert {len(cells) for cells in rows} == {len(headings)}
    assert f'| {" | ".join(rows[1])} |' in markdown(found)
    assert 'Does selection &lt;help&gt;?' in page(found)
    assert page(found).count('<svg') == 2


def test_losses_are_means_over_the_finished_runs():
    facts = [dict(foreground_weight=2.0, background_weight=1.0, distillation_to_detection=0.1)]
    facts += [{**facts[0], 'background_weight': 0.5}, {}]
    records = [dataclasses.replace(run, loss=facts[run.seed]) if run.arm == 'ea-kd' else run for run in full()]
    found = report(records[:-1])
    assert row(found, 'ea-kd')['loss'] == dict(
        foreground_weight=2.0, background_weight=0.75, distillation_to_detection=0.1
    )
    assert loss_cells(found)[1] == [['EA-KD', '2.00', '0.75', '0.10']]
    assert '| EA-KD | 2.00 | 0.75 | 0.10 |' in markdown(found)
    assert 'Losses, means over training' in page(found)
    assert row(report(records), 'ea-kd')['loss'] == {}
    assert 'Losses' not in page(report(records))


def test_a_question_about_an_unfinished_arm_stays_open():
    records = [record('kd', run.seed) if run.arm == 'kd' else run for run in full()]
    found = report(records, plan(questions=ASKED))
    assert question_cells(found)[1] == []
    assert page(found)
    assert report(full())['questions'] == []
    assert page(report(full())).count('<svg') == 1


def test_the_variance_over_a_sweep_by_hand():
    found = report(full(), plan(sweeps=(('KD and EA', ('kd', 'ea-kd')), ('all', ARMS))))
    first, second = found['sweeps']
    assert (first['arms'], first['seeds']) == (['kd', 'ea-kd'], 3)
    assert first['variance'] == pytest.approx((0.79 / 3 - 0.83 / 3) ** 2 / 2, abs=1e-9)
    assert first['variance_of_seed']['mean'] == pytest.approx((2e-4 + 0 + 2e-4) / 3, abs=1e-9)
    assert (second['low'], second['high']) == (0.22, pytest.approx(0.276667))
    assert '| KD and EA | 2 | 27.0 (26.3 to 27.7) | 0.89 | 1.33 ± 1.15 | 3 |' in markdown(found)
    assert '<h2>Sweeps</h2>' in page(found)
    assert any(line.startswith('Sweeps: the variance') for line in notes(found))


def test_a_sweep_without_a_common_seed_is_left_out():
    records = [run for run in full() if run.arm != 'kd'] + [record('kd', seed) for seed in range(3)]
    found = report(records, plan(sweeps=(('KD and EA', ('kd', 'ea-kd')),)))
    assert found['sweeps'][0]['variance'] is None
    assert 'variance' not in markdown(found)
    assert '<h2>Sweeps</h2>' not in page(found)

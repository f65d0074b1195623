"""The numbers by hand, and the T' that follows from them."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.commands.source import remark_on_teacher
from eakd_det.lab.analysis.selectivity import errors_in_words, measure, recommend, sweep
from eakd_det.lab.analysis.selectivity_figure import draw_selectivity
from tests.test_lab.test_analysis.conftest import make_table

WEIGHTS = np.array([1.0, 2.0, 3.0, 6.0])
FOREGROUND = np.array([True, True, False, False])
TEACHER_ERRS = np.array([False, False, False, True])
STUDENT_ERRS = np.array([True, False, True, False])


class TestMeasure:
    def test_by_hand(self):
        result = measure(WEIGHTS, FOREGROUND, TEACHER_ERRS, STUDENT_ERRS, tau=2.0)
        assert result.mean == 3.0
        assert result.cv == pytest.approx(np.sqrt((4 + 1 + 0 + 9) / 4) / 3)
        assert result.effective_share == pytest.approx(12**2 / (4 * (1 + 4 + 9 + 36)))
        assert (result.foreground_mean, result.background_mean) == (1.5, 4.5)
        assert result.background_weight == 9 / 12
        assert result.teacher_error_ratio == 6 / 2
        # covariance (1/4) sum (w - 3)(e - 1/4) = (1/4) * 3; standard deviations sqrt(3.5) and sqrt(3)/4
        assert result.teacher_error_correlation == pytest.approx(0.75 / (np.sqrt(3.5) * np.sqrt(3) / 4))
        assert result.student_error_ratio == 2 / 4

    def test_what_does_not_exist_is_none(self):
        nothing = np.zeros(4, bool)
        result = measure(WEIGHTS, ~nothing, nothing, ~nothing, tau=1.0)
        assert result.background_mean is None
        assert result.background_weight == 0
        assert result.teacher_error_ratio is None
        assert result.teacher_error_correlation is None
        assert result.student_error_ratio is None

    def test_weights_of_zero(self):
        result = measure(np.zeros(4), FOREGROUND, TEACHER_ERRS, STUDENT_ERRS, tau=1.0)
        assert (result.mean, result.cv, result.background_weight, result.teacher_error_ratio) == (0, 0, 0, None)


def rows_with(*cvs: float) -> list:
    row = measure(WEIGHTS, FOREGROUND, TEACHER_ERRS, STUDENT_ERRS, tau=1.0)
    return [dataclasses.replace(row, tau=float(index + 1), cv=cv, mean=2.0) for index, cv in enumerate(cvs)]


class TestRecommend:
    @pytest.mark.parametrize(
        ('cvs', 'tau', 'words'),
        [
            ((2.0, 0.9, 0.5, 0.3), 3.0, 'with a CV of at least'),
            ((2.0, 0.9), 2.0, 'still has'),
            ((0.4, 0.3), 1.0, 'no T'),
        ],
    )
    def test_largest_that_is_selective(self, cvs, tau, words):
        result = recommend(rows_with(*cvs), min_cv=0.5)
        assert result.tau == tau
        assert words in result.reason
        assert result.is_selective == (cvs[0] >= 0.5)
        assert result.loss_weight == 0.5

    def test_bad_arguments(self):
        with pytest.raises(ConfigError, match='--min-cv'):
            recommend(rows_with(1.0), min_cv=0)
        with pytest.raises(ConfigError, match='--taus'):
            recommend([])


@pytest.mark.parametrize(
    ('correlations', 'tau', 'words'),
    [
        ((0.3, 0.6, 0.5), 3.0, "best at T' = 2."),
        ((0.6, 0.3, 0.2), 2.0, "T' = 1, the smallest tried."),
        ((0.1, 0.3, 0.5), 1.0, "T' = 3, the largest tried. T' = 1 only makes it more unequal"),
        ((-0.3, -0.1, -0.2), 1.0, "At none of these T'"),
    ],
)
def test_where_the_weight_follows_the_errors(correlations, tau, words):
    rows = rows_with(3, 2, 1)
    rows = [
        dataclasses.replace(row, teacher_error_correlation=value) for row, value in zip(rows, correlations, strict=True)
    ]
    assert words in (errors_in_words(rows, tau) or '')
    assert errors_in_words([dataclasses.replace(row, teacher_error_correlation=None) for row in rows], tau) is None


def test_a_teacher_that_knows_less_than_the_student_is_noticed():
    table = make_table()
    known = dataclasses.replace(table, teacher_logits=10 * np.eye(4, dtype=np.float32)[table.labels])
    assert remark_on_teacher(known) is None
    swapped = dataclasses.replace(known, student_logits=known.teacher_logits, teacher_logits=known.student_logits)
    assert 'nothing to teach' in (remark_on_teacher(swapped) or '')
    own_student = dataclasses.replace(known, student_logits=known.teacher_logits)
    assert remark_on_teacher(own_student) is None


def test_sweep_sorts_and_uses_the_weight():
    table = make_table()
    rows = sweep(table, (3.0, 1.0, 3.0), mode='teacher')
    assert [row.tau for row in rows] == [1.0, 3.0]
    assert rows[1].mean == pytest.approx(table.entropies(3.0)[1].mean())
    assert rows[0].cv > rows[1].cv
    with pytest.raises(ConfigError, match='--taus'):
        sweep(table, (0.0,))


class TestFigure:
    def test_panels(self):
        rows = rows_with(2.0, 0.9, 0.4)
        figure = draw_selectivity(rows, recommend(rows), background_share=0.75)
        spread, shares, errors = figure.axes
        assert [axes.get_xlabel() for axes in figure.axes] == ["T'"] * 3
        assert all(axes.get_ylabel() for axes in figure.axes)
        assert spread.lines[0].get_xydata().tolist() == [[1, 2.0], [2, 0.9], [3, 0.4]]
        assert shares.lines[1].get_ydata()[0] == 0.75
        assert list(errors.lines[0].get_ydata()) == [3.0, 3.0, 3.0]
        assert all(" T' = 2" in [text.get_text() for text in axes.texts] for axes in figure.axes)

    def test_own_student_is_drawn_once_and_no_errors_not_at_all(self):
        rows = [dataclasses.replace(row, student_error_ratio=3.0) for row in rows_with(2.0, 1.0)]
        figure = draw_selectivity(rows, recommend(rows), 0.75)
        assert len(figure.axes[2].get_legend().get_texts()) == 1
        rows = [dataclasses.replace(row, student_error_ratio=None, teacher_error_ratio=None) for row in rows]
        assert draw_selectivity(rows, recommend(rows), 0.75).axes[2].get_legend() is None


class TestCommand:
    def test_on_a_table(self, tmp_path, capsys):
        table = make_table()
        table.save(tmp_path / 'proposals.npz')
        assert main(['selectivity', str(tmp_path / 'proposals.npz'), '--taus', '1', '2', '3']) == 0
        record = json.loads((tmp_path / 'selectivity.json').read_text())
        assert [row['tau'] for row in record['rows']] == [1, 2, 3]
        assert record['rows'][0]['mean'] == pytest.approx(float(table.weights(1.0).mean()))
        assert record['background_share'] == pytest.approx((table.labels == 3).mean())
        assert (tmp_path / 'selectivity.png').stat().st_size > 10_000
        printed = capsys.readouterr().out
        assert f"T' = {record['recommendation']['tau']:g} " in printed
        assert printed.count('\n| ') == 4  # rule and rows

    def test_none_is_recommended_where_none_selects(self, tmp_path, capsys):
        table = make_table()
        table.save(tmp_path / 'proposals.npz')
        rows = sweep(table, (8.0, 9.0))
        rows = [dataclasses.replace(row, teacher_error_correlation=row.tau) for row in rows]
        assert 'more unequal' not in (errors_in_words(rows, None) or '')
        assert main(['selectivity', str(tmp_path / 'proposals.npz'), '--taus', '8', '9']) == 0
        printed = capsys.readouterr().out
        assert 'try smaller ones' in printed
        assert 'EntropyWeighting' not in printed
        figure = draw_selectivity(rows, recommend(rows), 0.75)
        assert not any(text.get_text().startswith(" T' =") for axes in figure.axes for text in axes.texts)

    @pytest.mark.parametrize(
        ('arguments', 'message'),
        [
            (['nowhere.npz'], 'Error: table: expected a table of proposals, but there is no file nowhere.npz'),
            (['table.csv'], 'Error: source: expected a table'),
            (['nowhere.npz', 'student.pth'], 'Error: checkpoint: expected none with the table'),
        ],
    )
    def test_errors_in_one_line(self, arguments, message, capsys):
        assert main(['selectivity', *arguments]) == 1
        assert capsys.readouterr().err.startswith(message)

"""The EA-KD paper's figures on proposals: numbers by hand, and what is on the pictures."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.embedding_map import choose_rows, class_separation, draw_map, map_embeddings
from eakd_det.lab.analysis.entropy_accuracy import accuracy_by_entropy, draw_accuracies, group_accuracies
from eakd_det.lab.analysis.training_figures import draw_entropies, draw_loss_shares, format_shares, loss_name, smooth
from tests.test_lab.test_analysis.conftest import make_table


def row(iteration: int, share: list[float], plain: list[float]) -> dict:
    means = dict(mean=1.0, foreground=1.1, background=None if iteration == 1 else 0.9)
    loss = dict(share=share, plain_share=plain, weight_mean=1.0, weight_cv=0.5)
    curve = [None, 0.5 + iteration / 10, 1.0]
    return dict(
        iter=iteration, classes=4, tau=3.0, student=means, teacher=means, curve=curve, losses=dict(loss_kd=loss)
    )


ROWS = [row(1, [0.1, 0.2, 0.3, 0.4], [0.25] * 4), row(51, [0.0, 0.1, 0.2, 0.7], [0.4, 0.3, 0.2, 0.1])]


class TestTraining:
    def test_entropies(self):
        figure = draw_entropies({'run': ROWS})
        means, curves = figure.axes
        lines = {line.get_label(): line.get_xydata().tolist() for line in means.lines}
        assert lines['student, foreground'] == [[1, 1.1], [51, 1.1]]
        assert lines['teacher, background'] == [[51, 0.9]]
        assert [text.get_text() for text in curves.get_legend().get_texts()] == ['iteration 1', 'iteration 51']
        late = curves.lines[-1].get_xydata()
        np.testing.assert_allclose(late[:, 0], math.log(4) * np.array([1, 3, 5]) / 6)
        np.testing.assert_allclose(late[:, 1], [np.nan, 5.6, 1.0])
        assert curves.get_xlabel() == 'entropy of the teacher (nats)'

    def test_loss_shares(self):
        figure = draw_loss_shares({'one': ROWS, 'two': ROWS})
        assert [axes.get_title() for axes in figure.axes] == [
            f'{run}: loss_kd, {what}' for run in ('one', 'two') for what in ('divergence alone', 'with the weights')
        ]
        top = figure.axes[1].collections[-1].get_paths()[0].vertices  # outline of the highest quartile's layer
        assert top[:, 1].max() == pytest.approx(1)
        assert sorted({round(float(y), 6) for x, y in top if x == 51}) == [0.3, 1.0]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ['highest', 'third', 'second', 'lowest']

    def test_table_of_mean_shares(self):
        assert format_shares({'EA': ROWS}).splitlines()[2:] == [
            '| EA, divergence alone | 32 % | 28 % | 22 % | 18 % |',
            '| EA, with the weights | 5 % | 15 % | 25 % | 55 % |',
        ]

    def test_loss_name(self):
        assert loss_name(ROWS, None, 'run') == 'loss_kd'
        with pytest.raises(ConfigError, match='--loss: expected one of'):
            loss_name(ROWS, 'loss_dkd', 'run')

    def test_smooth_keeps_the_mean(self):
        x, y = smooth(range(100), [float(value) for value in range(100)], points=10)
        assert len(x) == 10
        assert y.mean() == pytest.approx(49.5)
        assert smooth([1], [None])[0].size == 0

    def test_command(self, tmp_path, capsys):
        (tmp_path / 'run').mkdir()
        (tmp_path / 'run' / 'proposal_entropy.jsonl').write_text('\n'.join(map(json.dumps, ROWS)))
        assert main(['training', str(tmp_path / 'run'), '--out', str(tmp_path)]) == 0
        record = json.loads((tmp_path / 'loss_share.json').read_text())
        assert record['runs'] == {'run': ROWS}
        assert record['table'] in capsys.readouterr().out
        assert record['command'] == f'eakd-analyze training {tmp_path}/run --out {tmp_path}'
        assert (tmp_path / 'entropy_over_training.png').stat().st_size > 10_000
        assert main(['training', str(tmp_path)]) == 1
        assert 'custom_hooks=[dict(type=' in capsys.readouterr().err
        (tmp_path / 'run' / 'proposal_entropy.jsonl').write_text('{"iter": 1}')
        assert main(['training', str(tmp_path / 'run')]) == 1
        (tmp_path / 'run' / 'proposal_entropy.jsonl').write_text('nothing')
        assert main(['training', str(tmp_path / 'run')]) == 1
        assert 'expected lines of JSON' in capsys.readouterr().err


class TestAccuracy:
    def test_by_hand(self):
        entropies = np.array([0.5, 0.1, 0.4, 0.2])
        teacher, student = np.array([True, False, False, False]), np.array([True, False, True, True])
        low, high = accuracy_by_entropy(entropies, teacher, student, bins=2)
        assert (low.count, low.entropy, low.teacher, low.student, low.gap) == (2, pytest.approx(0.15), 1, 0.5, 0.5)
        assert (high.teacher, high.student, high.gap) == (0.5, 0, 0.5)
        with pytest.raises(ConfigError, match='--bins'):
            accuracy_by_entropy(entropies, teacher, student, bins=1)

    def test_figure(self):
        table = make_table(200)
        groups = group_accuracies(table, tau=2.0, bins=5)
        figure = draw_accuracies(groups, 2.0, 5)
        assert [axes.get_title() for axes in figure.axes] == ['all proposals', 'foreground', 'background']
        bars = [bar.get_height() for bar in figure.axes[0].patches]
        assert bars == pytest.approx([each.gap for each in groups['all proposals']])
        assert np.mean([each.teacher for each in groups['foreground']]) == pytest.approx(
            1 - table.teacher_errs[table.is_foreground].mean(), abs=0.05
        )

    def test_command(self, tmp_path):
        make_table(200).save(tmp_path / 'proposals.npz')
        assert main(['accuracy', str(tmp_path / 'proposals.npz'), '--bins', '4']) == 0
        record = json.loads((tmp_path / 'entropy_accuracy.json').read_text())
        assert [len(rows) for rows in record['groups'].values()] == [4, 4, 4]
        first = record['groups']['foreground'][0]
        assert f'| {100 * first["teacher"]:.1f} % | {100 * first["student"]:.1f} % |' in record['table'].splitlines()[2]
        assert sum(each['count'] for each in record['groups']['all proposals']) == 200


class TestEmbeddings:
    def test_rows(self):
        table = make_table(300, embeddings=4)
        rows = choose_rows(table, 1000, with_background=False, seed=0)
        assert rows.tolist() == np.flatnonzero(table.is_foreground).tolist()
        with_background = choose_rows(table, 1000, with_background=True, seed=0)
        counts = np.bincount(table.labels[with_background])
        assert counts[3] <= counts[:3].max()
        assert counts[3] > 0
        assert len(choose_rows(table, 50, with_background=True, seed=0)) == 50
        with pytest.raises(ConfigError, match='--images'):
            choose_rows(table, 5, with_background=False, seed=0)

    def test_separation_grows_with_distance_and_not_with_scale(self):
        rng = np.random.default_rng(0)
        labels = np.repeat([0, 1], 50)
        near = rng.normal(size=(100, 3)) + labels[:, None]
        far = near + 3 * labels[:, None]
        assert class_separation(far, labels) > 2 * class_separation(near, labels)
        assert class_separation(near * [1, 100, 0.01], labels) == pytest.approx(class_separation(near, labels))

    def test_map_and_figure(self):
        table = make_table(120, embeddings=4)
        rows = choose_rows(table, 1000, with_background=True, seed=0)
        weights = table.weights()
        result = map_embeddings(table, weights, rows, share=0.1)
        marked = np.array(result['heaviest'])
        assert marked.sum() == round(0.1 * len(rows))
        assert weights[rows][marked].min() >= weights[rows][~marked].max()
        figure = draw_map(result, list(table.classes), 0.1, 3.0)
        teacher, student = figure.axes
        assert teacher.get_title().startswith(f'teacher: CH {result["teacher"]["calinski_harabasz"]:.1f}')
        points = [len(collection.get_offsets()) for collection in student.collections]
        assert sum(points[:-1]) == len(rows)
        assert points[-1] == marked.sum()
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == ['class 0', 'class 1', 'class 2', 'background', 'heaviest']

    def test_command(self, tmp_path, capsys):
        make_table(120, embeddings=4).save(tmp_path / 'proposals.npz')
        assert main(['embedding', str(tmp_path / 'proposals.npz')]) == 0
        record = json.loads((tmp_path / 'embedding_map.json').read_text())
        assert f'| {record["teacher"]["calinski_harabasz"]:.2f} |' in record['table']
        assert record['table'] in capsys.readouterr().out
        make_table(120).save(tmp_path / 'bare.npz')
        assert main(['embedding', str(tmp_path / 'bare.npz')]) == 1
        assert 'has no embeddings; collect it again with --embeddings' in capsys.readouterr().err
        assert main(['embedding', str(tmp_path / 'proposals.npz'), '--share', '1']) == 1


def test_iterations_have_whole_ticks():
    figure = draw_entropies({'run': [row(1, [0.25] * 4, [0.25] * 4), row(3, [0.25] * 4, [0.25] * 4)]})
    for axes in figure.axes:
        if axes.get_xlabel() == 'iteration':
            assert all(float(tick).is_integer() for tick in axes.get_xticks())

"""Areas by hand, directions as long as the filters, and the loss of a real detector around its weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.runner import set_random_seed

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.loss_surface import LossSurface, filter_normalised_direction, measure_surface
from eakd_det.lab.analysis.loss_surface_figure import draw_surfaces
from tests import tiny, tiny_data


class TestArea:
    def test_disc(self):
        axis = np.linspace(-1, 1, 41)
        surface = LossSurface(axis, axis[None] ** 2 + axis[:, None] ** 2)
        assert surface.area(0.25) == pytest.approx(np.pi * 0.25, rel=0.02)
        assert surface.area(2.0) == 4.0
        assert surface.area(-1.0) == 0
        assert surface.centre == pytest.approx(0, abs=1e-12)

    def test_infinite_losses_are_outside(self):
        axis = np.array([-1.0, 0.0, 1.0])
        losses = np.full((3, 3), np.inf)
        losses[1, 1] = 1.0
        assert 0 <= LossSurface(axis, losses).area(2.0) < 0.1


def test_a_saturated_square_has_no_line():
    axis = np.array([-1.0, 0.0, 1.0])
    flat = LossSurface(axis, np.array([[1.0, 1.1, 1.2]] * 3))
    assert flat.is_saturated(1.5)
    assert not flat.is_saturated(1.1)
    axes = draw_surfaces({'flat': flat}, 1.5).axes[0]
    assert 'at least 4.00' in axes.get_title()
    assert len(axes.collections) == len(draw_surfaces({'flat': flat}, 1.15).axes[0].collections) - 1


def test_directions_have_the_norm_of_their_filters():
    model = tiny.build(tiny.faster_rcnn())
    parameters = list(model.parameters())
    one, two = (filter_normalised_direction(parameters, torch.Generator().manual_seed(0)) for _ in range(2))
    other = filter_normalised_direction(parameters, torch.Generator().manual_seed(1))
    for parameter, direction, same, different in zip(parameters, one, two, other, strict=True):
        assert torch.equal(direction, same)
        if parameter.dim() < 2:
            assert not direction.any()
        else:
            torch.testing.assert_close(direction.flatten(1).norm(dim=1), parameter.flatten(1).norm(dim=1))
            assert not torch.equal(direction, different)


def test_surface_of_a_detector():
    model = tiny.build(tiny.faster_rcnn())
    before = {name: value.clone() for name, value in model.named_parameters()}
    batch = model.data_preprocessor(tiny.batch(), training=True)
    seen = []
    surface = measure_surface(model, [batch], points=3, span=0.4, progress=seen.append)
    assert seen == list(range(1, 10))
    assert surface.axis.tolist() == [-0.4, 0, 0.4]
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name]), name
    set_random_seed(0)
    losses = model(**batch, mode='loss')
    expected = sum(
        float(item.mean()) for value in losses.values() for item in (value if isinstance(value, list) else [value])
    ) - float(losses['acc'])
    assert surface.centre == pytest.approx(expected, rel=1e-5)
    assert len(np.unique(surface.losses)) == 9


@pytest.mark.parametrize(
    ('arguments', 'key'), [(dict(points=4), '--points'), (dict(span=0.0), '--span'), (dict(batches=[]), '--batches')]
)
def test_bad_arguments(arguments, key):
    with pytest.raises(ConfigError, match=f'^{key}'):
        measure_surface(torch.nn.Linear(1, 1), **{'batches': [{}], **arguments})


def test_figure():
    axis = np.linspace(-1, 1, 5)
    bowl = 1 + axis[None] ** 2 + axis[:, None] ** 2
    steep = 1 + 5 * (bowl - 1)
    steep[0, 0] = np.inf
    figure = draw_surfaces({'flat': LossSurface(axis, bowl), 'steep': LossSurface(axis, steep)}, level=1.5)
    flat, other, bar = figure.axes
    assert flat.get_title().startswith('flat: loss 1.000, area 1.')
    assert other.get_title().startswith('steep: loss 1.000, area 0.')
    assert flat.get_xlabel() == 'direction 1 (filter norms)'
    assert bar.get_ylabel() == 'training loss (log scale)'
    line = flat.collections[-1].get_paths()[0].vertices
    assert np.hypot(*line.T) == pytest.approx(np.full(len(line), np.sqrt(0.5)), abs=0.12)


class TestCommand:
    def test_two_students(self, tmp_path, config, checkpoints, capsys):
        arguments = ['--names', 'one', 'two', '--points', '3', '--batches', '1', '--out', str(tmp_path)]
        assert main(['surface', config, *checkpoints, *arguments]) == 0
        record = json.loads((tmp_path / 'loss_surface.json').read_text())
        assert list(record['surfaces']) == ['one', 'two']
        assert record['level'] == pytest.approx(1.5 * max(each['centre'] for each in record['surfaces'].values()))
        assert (tmp_path / 'loss_surface.png').stat().st_size > 10_000
        assert '| one | ' in record['table']
        assert record['table'] in capsys.readouterr().out

    def test_plain_config_and_missing_weights(self, tmp_path, data_root, checkpoints, capsys):
        config = tiny_data.dump(tiny_data.student_config(data_root), tmp_path / 'student.py')
        arguments = ['--points', '3', '--batches', '1', '--out', str(tmp_path)]
        assert main(['surface', config, checkpoints[0], *arguments]) == 0
        assert main(['surface', config, 'nowhere.pth', *arguments]) == 1
        assert 'Error: checkpoints: ' in capsys.readouterr().err

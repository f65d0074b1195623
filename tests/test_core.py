"""The formulas, weightings and losses with torch alone, and what ``import eakd_det`` does."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import eakd_det
from eakd_det import losses, names, weighting
from tests.processes import ROOT, run_python

NOT_NEEDED = ('mmcv', 'mmengine', 'mmdet', 'mmrazor', 'numpy', 'scipy', 'sklearn')


def test_import_loads_nothing():
    loaded = run_python('import json, sys, eakd_det\nprint(json.dumps(sorted(sys.modules)))')

    assert not {name.partition('.')[0] for name in loaded} & {'torch', *NOT_NEEDED}


def test_the_core_imports_nothing_of_openmmlab():
    rooms = ', '.join(f'eakd_det.{room}' for room in ('functional', 'weighting', 'losses'))
    loaded = run_python(f'import json, sys, {rooms}\nprint(json.dumps(sorted(sys.modules)))')

    assert not {name.partition('.')[0] for name in loaded} & {'mmcv', 'mmengine', 'mmdet', 'mmrazor'}


def test_a_loss_trains_with_torch_alone():
    facts = run_python(
        """
        import json, torch
        import eakd_det.functional, eakd_det.losses
        from eakd_det import EntropyWeighted
        from eakd_det.losses import KDLoss
        from eakd_det.weighting import EntropyWeighting
        torch.manual_seed(0)
        teacher = torch.randn(64, 5) * 3
        weightings = [EntropyWeighting(tau=3.0), dict(type='EntropyWeighting', tau=3.0),
                      dict(type='eakd_det.EntropyWeighting', tau=3.0)]
        curves = []
        for weighting in weightings:
            loss = KDLoss(weighting=weighting, tau=dict(type='LearnedTemperature', ramp_iters=100))
            student = torch.nn.Parameter(torch.zeros(64, 5))
            optimizer = torch.optim.SGD([student, *loss.parameters()], lr=1.0)
            curve = []
            for _ in range(30):
                value = loss(student, teacher)
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                curve.append(value.item())
            curves.append(curve)
        logits = [torch.randn(4, 3) for _ in range(2)]
        wrapped = EntropyWeighted(torch.nn.MSELoss(), weighting=dict(type='UniformWeighting'), unit='site')
        value = wrapped(input=logits[0], target=logits[1], weight_preds_S=logits[0], weight_preds_T=logits[1])
        print(json.dumps(dict(curves=curves, wrapped=value.item(), mean=torch.nn.MSELoss()(*logits).item())))
        """,
        without=NOT_NEEDED,
    )

    first, second, third = facts['curves']
    assert first == second == third
    assert first[-1] < first[0]
    assert facts['wrapped'] == pytest.approx(facts['mean'])


WRONG_CONFIGS = {
    "dict(type='EntropyWeightin')": 'EntropyWeighting',
    "dict(type='mmdet.L1Loss')": "pip install 'eakd-det[lite]'",
    "dict(type='EntropyWeighting', normalize='no')": "expected True or False, but got 'no'",
    'dict(tau=3.0)': 'which has no type',
}


def test_a_wrong_config_is_one_line_without_openmmlab():
    messages = run_python(
        f"""
        import json
        from eakd_det.errors import ConfigError
        from eakd_det.losses import KDLoss
        messages = []
        for config in [{', '.join(WRONG_CONFIGS)}]:
            try:
                KDLoss(weighting=config)
            except ConfigError as error:
                messages.append(str(error))
        print(json.dumps(messages))
        """,
        without=NOT_NEEDED,
    )

    for message, expected in zip(messages, WRONG_CONFIGS.values(), strict=True):
        assert expected in message
        assert '\n' not in message


@pytest.mark.parametrize('room', [losses, weighting])
def test_every_part_has_its_public_name(room):
    exported = {name: getattr(room, name) for name in room.__all__}
    abstract = {'EmbeddingLoss', 'LogitLoss', 'ProposalLoss', 'ProposalTemperature', 'ProposalWeighting', 'PyramidLoss'}
    abstract |= {'SiteLoss'}
    parts = {n for n, c in exported.items() if inspect.isclass(c) and hasattr(c, 'forward')} - abstract

    assert parts == set(names.PARTS[room.__name__.partition('.')[2]]) - abstract


def test_public_names_are_attributes():
    found = {name: getattr(eakd_det, name) for name in names.PART_ROOM_OF}

    assert all(found[name].__name__ == name for name in found)
    assert set(found) | {'functional', 'losses', 'ProposalDistill', '__version__'} <= set(dir(eakd_det))
    assert eakd_det.functional.entropy is not None
    with pytest.raises(AttributeError, match='no_such_name'):
        _ = eakd_det.no_such_name


def test_type_checkers_see_every_public_name():
    source = Path(inspect.getfile(eakd_det)).read_text()

    for name, room in names.ROOM_OF.items():
        assert f'    from eakd_det.{room} import {name} as {name}\n' in source


def test_every_folder_is_core_or_needs_openmmlab():
    rooms = {path.parent.name for path in (ROOT / 'eakd_det').glob('*/__init__.py')} | {'registry'}

    assert rooms == {'functional', *(room.partition('.')[0] for room in names.PARTS), *names.OPENMMLAB_ROOMS}

from __future__ import annotations

import doctest
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pytest
from mmengine.config import ConfigDict
from torch import nn

from eakd_det import argument_check
from eakd_det.argument_check import argument_types, check_arguments, describe, fits
from eakd_det.building import build_model
from eakd_det.datasets import option_names
from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss
from eakd_det.registry import MODELS


@pytest.mark.parametrize('module', [argument_check, option_names])
def test_examples(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ('value', 'hint', 'expected'),
    [
        (1, int, True),
        (1.0, int, False),
        (True, int, False),
        (True, float, False),
        (True, bool, True),
        (1, bool, False),
        (float('nan'), float, True),  # its range is the class's own affair
        ('1', float, False),
        (None, float | None, True),
        (None, float, False),
        ('ab', Sequence[str], False),
        (('a', 'b'), Sequence[str], True),
        ([1], Sequence[str], False),
        (ConfigDict(a=1), dict[str, Any], True),
        ({1: 2}, dict[str, Any], False),
        ({'a': {'b': 3}}, dict[str, dict[str, dict[str, Any]]], False),
        ({'a': 1}, Mapping[str, Any] | Sequence[Any], True),
        ('x', Literal['x', 'y'], True),
        (nn.Identity(), dict[str, Any] | nn.Module, True),
        ('x', nn.Module, False),
        (3, Any, True),
        (3, Callable[[int], int], True),
    ],
)
def test_fits(value: Any, hint: Any, expected: bool) -> None:
    assert fits(value, hint) is expected


def test_a_switch_is_true_or_false() -> None:
    with pytest.raises(ConfigError) as error:
        build_model(dict(type='EntropyWeighting', normalize='no'))
    assert str(error.value) == "EntropyWeighting.normalize: expected True or False, but got 'no'"


def test_a_subclass_is_called_by_its_own_name() -> None:
    with pytest.raises(ConfigError) as error:
        build_model(dict(type='MeanMatchedWeighting', normalize='no'))
    assert str(error.value) == "MeanMatchedWeighting.normalize: expected True or False, but got 'no'"


def test_what_a_class_says_itself_comes_first() -> None:
    with pytest.raises(ConfigError, match=r"KDLoss\.tau: expected a finite number > 0, but got 'x'"):
        build_model(dict(type='KDLoss', tau='x'))


def test_an_error_from_deep_inside_becomes_one_about_the_argument() -> None:
    class Thing:
        def __init__(self, names: Sequence[str]) -> None:
            self.first = names[0].upper()

    Thing.__init__.__module__ = 'eakd_det.made_up'
    Thing.__module__ = 'eakd_det.made_up'
    check_arguments(Thing)
    check_arguments(Thing)
    assert Thing(['a']).first == 'A'
    with pytest.raises(ConfigError, match=r'Thing\.names: expected a list of texts, but got 5') as error:
        Thing(5)
    assert isinstance(error.value.__cause__, TypeError)
    with pytest.raises(IndexError):  # of the right type: a bug keeps its traceback
        Thing([])


def test_arguments_of_base_classes_are_checked() -> None:
    assert set(argument_types(KDLoss)) == {'tau', 'standardize', 'weighting', 'reduction', 'loss_weight'}


def test_every_class_of_ours_has_types_for_all_its_arguments() -> None:
    MODELS.import_from_location()
    for cls in MODELS.module_dict.values():
        assert all(describe(hint) for hint in argument_types(cls).values())

from __future__ import annotations

import doctest
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from mmengine.config import ConfigDict
from torch import nn

import eakd_det
from eakd_det import arguments, constraints, errors, names
from eakd_det.arguments import (
    ArgumentError,
    Constraint,
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    Positive,
    UnitInterval,
    argument_names,
    checked,
    from_option_dict,
)
from eakd_det.building import build_model
from eakd_det.constraints import describe, fits
from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss, records
from eakd_det.names import HOOKS, MODELS
from eakd_det.registry import HOOKS as HOOK_REGISTRY
from eakd_det.registry import MODELS as MODEL_REGISTRY
from tests.processes import run_python


class Base:
    @checked
    def __init__(self, weight: NotNegative = 1.0, mode: Literal['a', 'b'] = 'a') -> None:
        self.weight, self.mode = weight, mode


class Thing(Base):
    @checked
    def __init__(self, names: Sequence[str], tau: Positive | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.tau = names[0].upper(), tau


class Unchecked(Thing):
    """What a user may write."""

    def __init__(self, extra: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.extra = extra


class Narrow(Thing):
    """Hands on arguments that it does not take."""

    def __init__(self) -> None:
        super().__init__(['x'], tau=2.0, weight=3.0)


@pytest.mark.parametrize('module', [arguments, constraints, records, errors])
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
        (float('nan'), float, True),
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
        ('z', Literal['x', 'y'], False),
        (1, Literal[True], False),
        (['x'], Literal['x', 'y'], False),
        (nn.Identity(), dict[str, Any] | nn.Module, True),
        ('x', nn.Module, False),
        (3, Any, True),
        (3, Callable[[int], int], True),
        (3, Positive, True),
        (0, Positive, False),
        (float('inf'), Positive, False),
        (float('nan'), Positive, False),
        (True, Positive, False),
        (0, NotNegative, True),
        (-1e-9, NotNegative, False),
        (0, UnitInterval, True),
        (1.1, UnitInterval, False),
        (0, Fraction, False),
        (0.5, Fraction, True),
        (0, Count, False),
        (1, Count, True),
        (1.0, Count, False),
        (0, CountOrZero, True),
        ([1, 2.5], Sequence[Positive], True),
        ([1, 0], Sequence[Positive], False),
        (2, Positive | dict[str, Any] | nn.Module, True),
        (0, Positive | dict[str, Any] | nn.Module, False),
        (3, Annotated[int, 'a note'], True),
        (3, Annotated[int, Constraint('an even integer', lambda value: value % 2 == 0)], False),
    ],
)
def test_fits(value: Any, hint: Any, expected: bool) -> None:
    assert fits(value, hint) is expected


@pytest.mark.parametrize(
    ('build', 'key', 'parts'),
    [
        (lambda: Thing('ab'), 'Thing.names', ['a list of strings', "'ab'"]),
        (lambda: Thing(['a'], 0), 'Thing.tau', ['a finite number > 0 or None', '0']),
        (lambda: Thing(['a'], weight='1'), 'Thing.weight', ['a finite number >= 0', "'1'"]),
        (lambda: Thing(['a'], mode='c'), 'Thing.mode', ['one of a, b', "'c'"]),
        (lambda: Thing(), 'Thing.names', ['a list of strings', 'nothing']),
        (lambda: Thing(['a'], wieght=1), 'Thing.wieght', ['names, tau, weight, mode', "did you mean 'weight'?"]),
        (lambda: Unchecked(1, names=['a'], tua=1), 'Unchecked.tua', ["did you mean 'tau'?"]),
        (lambda: Unchecked(1, names=['a'], tau='1'), 'Unchecked.tau', ['a finite number > 0 or None', "'1'"]),
    ],
)
def test_a_wrong_argument_is_one_line(build: Callable[[], Any], key: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        build()
    message = str(error.value)
    assert message.startswith(f'{key}: expected ')
    assert '\n' not in message
    assert all(part in message for part in parts)


def test_right_arguments_arrive_unchanged() -> None:
    thing = Thing(['a'], 2, weight=0, mode='b')
    assert (thing.first, thing.tau, thing.weight, thing.mode) == ('A', 2, 0, 'b')
    assert Unchecked(1, names=['b'], tau=3.0).tau == 3.0
    assert (Narrow().first, Narrow().tau, Narrow().weight) == ('X', 2.0, 3.0)


def test_an_error_of_the_class_keeps_its_traceback() -> None:
    with pytest.raises(IndexError):
        Thing([])


def test_a_key_in_the_config_replaces_the_name() -> None:
    class Model(Base):
        config_key = 'model'

    with pytest.raises(ConfigError, match=r'^model\.weight: '):
        Model(weight=-1)


@dataclass(frozen=True)
class Choices:
    enabled: bool = True
    dtype: Literal['float32', 'float16'] = 'float32'


def test_options_of_a_dataclass() -> None:
    assert from_option_dict(Choices, None, 'model.options') == Choices()
    assert from_option_dict(Choices, ConfigDict(dtype='float16'), 'model.options') == Choices(dtype='float16')


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (dict(dtype='int8'), r"^model\.options\.dtype: expected one of float32, float16, but got 'int8'"),
        (dict(enable=True), r"^model\.options\.enable: .*did you mean 'enabled'"),
        ([1], r'^model\.options: expected a dict, but got \[1\]'),
    ],
)
def test_bad_options(cfg: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_option_dict(Choices, cfg, 'model.options')


@pytest.mark.parametrize('name', ['EntropyWeighting', 'MeanMatchedWeighting'])
def test_a_switch_is_true_or_false(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        build_model(dict(type=name, normalize='no'))
    assert str(error.value) == f"{name}.normalize: expected True or False, but got 'no'"


def test_every_public_class_refuses_an_unknown_argument() -> None:
    for registry, table in ((MODEL_REGISTRY, MODELS), (HOOK_REGISTRY, HOOKS)):
        for name in (name for room in table.values() for name in room):
            built = registry.get(f'eakd_det.{name}')
            if getattr(built.__init__, '__module__', '').startswith('eakd_det.'):
                with pytest.raises((ConfigError, TypeError), match='no_such_argument'):
                    built(no_such_argument=1)


def test_types_can_be_described() -> None:
    assert describe(Positive | dict[str, Any] | nn.Module) == 'a finite number > 0, a dict or a Module'
    assert describe(Sequence[Count] | None) == 'a list of integers > 0 or None'


def test_no_check_runs_in_a_step() -> None:
    counts = run_python(
        """
        import json, torch
        from eakd_det import arguments, constraints, errors
        from eakd_det.losses import KDLoss, records
        calls = []
        original = arguments.fits
        arguments.fits = lambda value, hint: calls.append(hint) or original(value, hint)
        loss = KDLoss(tau=2.0, weighting=dict(type='EntropyWeighting'))
        built = len(calls)
        loss(torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)).backward()
        print(json.dumps([built, len(calls)]))
        """
    )
    assert counts[0] > 0
    assert counts[0] == counts[1], json.dumps(counts)


def test_a_wrapper_leaves_the_signature_alone() -> None:
    assert KDLoss.__init__.__wrapped__.__name__ == '__init__'


PARTS = [getattr(eakd_det, name) for room in ('weighting', 'losses') for name in names.PARTS[room]]
REQUIRED = dict(
    CurriculumWeighting=dict(total_iters=1), PADLoss=dict(student_channels=8), TeacherLossWeighting=dict(total_iters=1)
)


@pytest.mark.parametrize('part', PARTS)
@pytest.mark.parametrize('invalid', ['x', -101])
def test_every_argument_of_every_loss_and_weighting_is_checked(part, invalid):
    for name in set(argument_names(part) or ()) - ({'background'} if invalid == -101 else set()):
        with pytest.raises(
            ArgumentError, match=rf'^{part.__name__}\.{name}: expected .*, but got .?{invalid}'
        ) as caught:
            part(**{**REQUIRED.get(part.__name__, {}), name: invalid})
        assert '\n' not in str(caught.value)

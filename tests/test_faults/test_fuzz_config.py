"""Configs with one fault are rejected in one line, or train correctly."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from eakd_det.datasets import apply_data_options
from tests import tiny_data
from tests.test_faults.fuzzing import WRONG, Bench, Case, argument_cases, hook_cases, misspelt, outcome

Seen = Callable[[object], None]
OPTIONS = ('data_root', 'classes', 'train_ann', 'val_ann', 'train_images', 'val_images')


def tally(cases: Iterable[Case]) -> Counter[str]:
    """Run all cases; none may crash or be wrongly accepted."""
    outcomes: Counter[str] = Counter()
    wrong = []
    for case in cases:
        result, message = outcome(case)
        outcomes[result] += 1
        if result in ('crashed', 'accepted'):
            wrong.append(f'{result}: {case.name}: {message}')
    assert not wrong, '\n'.join(wrong)
    return outcomes


def summary(outcomes: Counter[str]) -> str:
    kinds = ', '.join(f'{number} {kind}' for kind, number in sorted(outcomes.items()))
    return f'{outcomes.total()} cases: {kinds}, none crashed, none was accepted though wrong'


@pytest.fixture(scope='module')
def bench() -> Bench:
    return Bench()


def model_cases(bench: Bench) -> list[Case]:
    rng = random.Random(0)
    return [*bench.cases(rng), *hook_cases(rng)]


@pytest.mark.fault('a key of model or hooks missing, misspelt, of wrong type (sample)', expected='one line, or a run')
def test_a_sample_of_model_configs(bench: Bench, seen: Seen) -> None:
    seen(summary(tally(random.Random(2).sample(model_cases(bench), 60))))


@pytest.mark.slow
@pytest.mark.fault('a key of model or hooks missing, misspelt, of wrong type (all)', expected='one line, or a run')
def test_all_model_configs(bench: Bench, seen: Seen, count: Any) -> None:
    cases = model_cases(bench)
    assert len(cases) > 4000
    outcomes = tally(cases)
    assert outcomes['ran'] > 100  # not everything is rejected
    count('model and hooks', outcomes)
    seen(summary(outcomes))


def data_cases(root: Path) -> Iterator[Case]:
    """Yield each data option with every wrong type, and misspelt."""
    base = tiny_data.student_config(root)
    good = dict(
        data_root=str(root),
        classes=tiny_data.CLASSES,
        train_ann='instances_train.json',
        val_ann='instances_val.json',
        train_images='train/',
        val_images='val/',
    )

    def trying(options: dict[str, Any]) -> Callable[[], None]:
        def attempt() -> None:
            applied = apply_data_options(Config({**copy.deepcopy(base._cfg_dict), **options}))
            for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
                assert applied[loader].dataset.metainfo.classes == tiny_data.CLASSES

        return attempt

    rng = random.Random(0)
    for option in OPTIONS:
        for value in WRONG:
            is_fine = value is None or (value == '' and option.endswith('images'))
            yield Case(f'{option}={value!r}', trying({**good, option: value}), must_be_refused=not is_fine)
        for _ in range(5):
            wrong = misspelt(option, rng)
            rest = {key: value for key, value in good.items() if key != option}
            yield Case(f'{option} as {wrong}', trying({**rest, wrong: good[option]}), must_be_refused=True)
        yield Case(f'{option} left out', trying({key: value for key, value in good.items() if key != option}))


@pytest.mark.fault('a misspelt or wrong-typed data option', expected='one clear line, or the same data')
def test_data_options(workspace: Any, seen: Seen, count: Any) -> None:
    outcomes = tally(data_cases(workspace.data))
    count('data options', outcomes)
    seen(summary(outcomes))


def test_the_harness_detects_crashes_and_wrong_acceptance() -> None:
    def crash() -> None:
        raise IndexError('deep inside')

    assert outcome(Case('a', crash)) == ('crashed', 'IndexError: deep inside')
    assert outcome(Case('b', lambda: None, must_be_refused=True))[0] == 'accepted'
    with pytest.raises(AssertionError, match='crashed: a'):
        tally([Case('a', crash)])


def test_cases_come_from_signatures() -> None:
    class Example:
        def __init__(self, width: int, name: str | None = None) -> None:
            if not isinstance(width, int):
                raise TypeError(width)

    Example.__module__ = 'eakd_det.made_up'
    names = [case.name for case in argument_cases(Example, dict(width=1), lambda given: None, random.Random(0))]
    assert 'Example without width' in names
    assert "Example.name='text'" in names
    assert len(names) == 1 + 2 + 2 * len(WRONG)

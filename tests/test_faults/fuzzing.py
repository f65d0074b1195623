"""Configs with one fault, derived from the signatures of all classes of the package."""

from __future__ import annotations

import copy
import inspect
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config

import eakd_det  # noqa: F401
from eakd_det.building import build_model
from eakd_det.cli.translation import config_errors
from eakd_det.errors import ConfigError
from eakd_det.registry import HOOKS, MODELS
from tests import tiny

WRONG: tuple[Any, ...] = (
    None, True, 'text', '', -1, 0, 1, 2.5, 1e300, math.nan, math.inf,
    [], [1, 'a'], (), {}, {'a': 1}, {'type': 'NoSuchThing'}, {1: 2}, [[]], b'bytes', 3 + 4j,
)  # fmt: skip

# Arguments required to use each class with the tiny detectors.
LOSSES: dict[str, dict[str, Any]] = {
    'ATLoss': {},
    'CATKDLoss': {},
    'CRDLoss': dict(student_channels=24),
    'CrossHeadLoss': dict(student_channels=16, teacher_channels=16),
    'DKDLoss': {},
    'EmbeddingLoss': {},
    'EntropyWeighted': dict(loss=dict(type='mmrazor.KLDivergence')),
    'EntropyWeightedLogits': dict(loss=dict(type='mmrazor.KLDivergence')),
    'EntropyWeightedMaps': dict(loss=dict(type='mmrazor.PKDLoss')),
    'EntropyWeightedRelations': dict(loss=dict(type='mmrazor.DISTLoss')),
    'FitNetLoss': dict(student_channels=16, teacher_channels=16),
    'FGDLoss': dict(student_channels=16, teacher_channels=16),
    'FCFDLoss': dict(student_channels=16, teacher_channels=16),
    'JSDLoss': {},
    'KDLoss': {},
    'MLDLoss': {},
    'NormDirectionLoss': dict(num_classes=4, student_channels=24),
    'OFDLoss': dict(student_channels=16, teacher_channels=16),
    'PADLoss': dict(student_channels=24),
    'RKDLoss': {},
    'RKLDLoss': {},
    'PKDLoss': {},
    'ReviewKDLoss': dict(student_channels=16, teacher_channels=16, mid_channels=8),
    'SKLDLoss': {},
    'SRKLDLoss': {},
    'TTMLoss': {},
}
WEIGHTINGS: dict[str, dict[str, Any]] = {
    'ConfidenceWeighting': {},
    'CurriculumWeighting': dict(total_iters=10),
    'DifferenceWeighting': {},
    'EntropyWeighting': {},
    'HardProposalWeighting': {},
    'MeanMatchedWeighting': {},
    'PowerSumWeighting': {},
    'TeacherLossWeighting': dict(total_iters=10),
    'UniformWeighting': {},
}
OTHERS = {'BoxLoss', 'LDLoss', 'MobileNetV2', 'ProposalDistill', 'ProposalDistiller'}  # the first two need a dense head
TEMPERATURES: dict[str, dict[str, Any]] = {
    'EntropyTemperature': {},
    'InstanceTemperature': dict(num_columns=4),
    'LearnedTemperature': {},
}


@dataclass(frozen=True)
class Case:
    """A config: its name, a function that builds and runs it, and whether it must be rejected."""

    name: str
    attempt: Callable[[], None]
    must_be_refused: bool = False


def outcome(case: Case) -> tuple[str, str]:
    """Return 'refused' with the message, 'ran', or, as failures, 'accepted' or 'crashed'."""
    try:
        case.attempt()
    except ConfigError as error:
        text = str(error)
        is_clear = '\n' not in text and 0 < len(text) < 600 and 'Traceback' not in text
        return ('refused' if is_clear else 'crashed'), text
    except Exception as error:
        return 'crashed', f'{type(error).__name__}: {error}'
    return ('accepted' if case.must_be_refused else 'ran'), ''


def misspelt(name: str, rng: random.Random) -> str:
    """Return ``name`` with two letters swapped, one doubled or one removed."""
    for _ in range(20):
        at = rng.randrange(max(len(name) - 1, 1))
        other = rng.choice([
            name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at + 1 :],
        ])  # fmt: skip
        if other not in (name, '') and other.isidentifier():
            return other
    return f'{name}x'


def annotations(cls: type) -> dict[str, tuple[str, bool]]:
    """Return the annotation text of each argument of ``cls``, and whether it is required."""
    found: dict[str, tuple[str, bool]] = {}
    for base in getattr(cls, '__mro__', [cls]):
        if inspect.isfunction(base) or ('__init__' in vars(base) and base.__module__.startswith('eakd_det')):
            call = base if inspect.isfunction(base) else base.__init__
            for parameter in inspect.signature(call).parameters.values():
                if parameter.name != 'self' and parameter.kind is not parameter.VAR_KEYWORD:
                    found.setdefault(parameter.name, (str(parameter.annotation), parameter.default is parameter.empty))
    return found


def may_be(value: Any, annotation: str) -> bool:
    """Return whether an annotation text allows the type of ``value``, independently of the tested check."""
    words = set(re.findall(r'\w+', re.sub(r'\[[^\[\]]*\]', '', re.sub(r'\[[^\[\]]*\]', '', annotation))))
    floats = {
        'float',
        'Positive',
        'AtLeastOne',
        'NotNegative',
        'UnitInterval',
        'Fraction',
        'Theta',
        'LogVariance',
        'Slope',
    }
    kinds = {
        bool: {'bool', 'StandardizeOption'}, int: {'int', 'Count', 'CountOrZero', *floats}, float: floats,
        str: {'str', 'Literal', 'EAMode', 'StandardizeOption', 'Uncertainty'}, type(None): {'None'},
        list: {'Sequence', 'list'}, tuple: {'Sequence', 'list'}, dict: {'dict', 'Mapping', 'Mappings'},
    }  # fmt: skip
    return 'Any' in words or bool(words & kinds.get(type(value), set()))


def argument_cases(
    cls: type, base: dict[str, Any], attempt: Callable[[dict[str, Any]], None], rng: random.Random
) -> Iterator[Case]:
    """Yield each argument of ``cls`` omitted, misspelt, and with every wrong type."""
    arguments = annotations(cls)
    name = cls.__name__

    def trying(given: dict[str, Any]) -> Callable[[], None]:
        return lambda: attempt(copy.deepcopy(given))

    for argument, (annotation, is_required) in arguments.items():
        rest = {key: value for key, value in base.items() if key != argument}
        if argument in base:
            yield Case(f'{name} without {argument}', trying(rest), must_be_refused=is_required)
        wrong = misspelt(argument, rng)
        if wrong not in arguments:
            yield Case(f'{name}.{wrong}', trying({**base, wrong: base.get(argument)}), must_be_refused=True)
        for value in WRONG:
            allowed = may_be(value, annotation)
            yield Case(f'{name}.{argument}={value!r}', trying({**base, argument: value}), must_be_refused=not allowed)


def tree_cases(root: dict[str, Any], attempt: Callable[[dict[str, Any]], None], rng: random.Random) -> Iterator[Case]:
    """Yield each key of a nested config omitted, misspelt, and with every wrong value; none may crash."""

    def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in items:
            yield (*path, key)
            yield from paths(value, (*path, key))

    def changed(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Callable[[], None]:
        def run() -> None:
            tree = copy.deepcopy(root)
            node = tree
            for key in path[:-1]:
                node = node[key]
            change(node, path[-1])
            attempt(tree)

        return run

    def replace(value: Any) -> Callable[[Any, Any], None]:
        return lambda node, key: node.__setitem__(key, copy.deepcopy(value))

    for path in paths(root):
        name = '.'.join(map(str, path))
        yield Case(f'{name} left out', changed(path, lambda node, key: node.pop(key)))
        if isinstance(path[-1], str):
            wrong = misspelt(path[-1], rng)
            yield Case(f'{name} as {wrong}', changed(path, lambda node, key, w=wrong: node.update({w: node.pop(key)})))
        for value in WRONG:
            yield Case(f'{name}={value!r}', changed(path, replace(value)))


class Bench:
    """Two tiny detectors and a batch for one step of a distillation."""

    def __init__(self) -> None:
        cfg = tiny.faster_rcnn(num_rois=8)
        cfg.train_cfg.rpn_proposal.update(nms_pre=50, max_per_img=20)
        self.student, self.teacher = tiny.build(cfg, seed=0), tiny.build(cfg, seed=1)
        self.batch = tiny.batch(sizes=((64, 64), (64, 48)))

    def distil(self, model: dict[str, Any]) -> None:
        """Build ``model`` as the tools do, run a step, and require finite losses."""
        detectors = dict(architecture=copy.deepcopy(self.student), teacher=copy.deepcopy(self.teacher))
        cfg = Config(dict(model={'type': 'eakd_det.ProposalDistill', **detectors, **model}))
        with config_errors(cfg):
            built = build_model(cfg.model)
            built.train()
            losses = tiny.step(built, self.batch)
        for name, value in losses.items():
            for part in value if isinstance(value, list) else [value]:
                if 'loss' in name and not bool(torch.isfinite(part).all()):
                    raise AssertionError(f'{name} is {part}')

    def distil_by(self, loss: dict[str, Any]) -> None:
        """Call :meth:`distil` with a single loss."""
        self.distil(dict(distiller=dict(type='eakd_det.ProposalDistiller', distill_losses=dict(loss_x=loss))))

    def cases(self, rng: random.Random) -> Iterator[Case]:
        """Yield the cases of losses, weightings, temperatures, algorithm and distiller."""
        known = {*LOSSES, *WEIGHTINGS, *TEMPERATURES, *OTHERS}
        assert known == set(_registered(MODELS)), 'registered classes changed: update the arguments above'
        classes = _registered(MODELS)
        for name, base in LOSSES.items():
            yield from argument_cases(
                classes[name], base, lambda given, n=name: self.distil_by({**given, 'type': f'eakd_det.{n}'}), rng
            )
        for key, group in (('weighting', WEIGHTINGS), ('tau', TEMPERATURES)):
            for name, base in group.items():

                def within_kd(given: dict[str, Any], n: str = name, k: str = key) -> None:
                    self.distil_by({'type': 'eakd_det.KDLoss', k: {**given, 'type': f'eakd_det.{n}'}})

                yield from argument_cases(classes[name], base, within_kd, rng)
        kd = dict(type='eakd_det.ProposalDistiller', distill_losses=dict(loss_kd=dict(type='eakd_det.KDLoss')))
        yield from argument_cases(classes['ProposalDistill'], dict(distiller=kd), self.distil, rng)
        yield from argument_cases(
            classes['ProposalDistiller'],
            dict(distill_losses=kd['distill_losses']),
            lambda given: self.distil(dict(distiller={**given, 'type': 'eakd_det.ProposalDistiller'})),
            rng,
        )
        yield from tree_cases(RICH, self.distil, rng)


def hook_cases(rng: random.Random) -> Iterator[Case]:
    """Yield the cases of the hooks."""
    for name, cls in sorted(_registered(HOOKS).items()):

        def attempt(given: dict[str, Any], n: str = name) -> None:
            cfg = Config(dict(custom_hooks=[{**given, 'type': f'eakd_det.{n}'}]))
            with config_errors(cfg):
                HOOKS.build(cfg.custom_hooks[0])

        yield from argument_cases(cls, {}, attempt, rng)


def _registered(registry: Any) -> dict[str, type]:
    registry.import_from_location()
    return {name: cls for name, cls in registry.module_dict.items() if cls.__module__.startswith('eakd_det.')}


def _neck(side: bool) -> dict[str, Any]:
    return dict(recorder='neck', from_student=side, record_idx=0, data_idx=0)


RICH: dict[str, Any] = dict(
    student_stage=-1,
    teacher_stage=-1,
    teacher_options=dict(
        enabled=True, fuse_norm=True, channels_last=False, dtype='float32', free_unused=True, compile=False
    ),
    class_map=[0, 1, 2],
    student_classes=['square', 'disc', 'ring'],
    unmapped_classes='background',
    distiller=dict(
        type='eakd_det.ProposalDistiller',
        student_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')),
        teacher_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')),
        connectors=dict(to_teacher=dict(type='SingleConvConnector', in_channel=16, out_channel=16)),
        distill_losses=dict(
            loss_kd=dict(
                type='eakd_det.KDLoss',
                tau=dict(type='eakd_det.LearnedTemperature', ramp_iters=10),
                weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0, normalize=True),
            ),
            loss_l2=dict(type='L2Loss'),
        ),
        loss_forward_mappings=dict(
            loss_kd=dict(
                preds_S=dict(recorder='proposal_logits', from_student=True),
                preds_T=dict(recorder='proposal_logits', from_student=False),
            ),
            loss_l2=dict(s_feature=dict(connector='to_teacher', **_neck(True)), t_feature=_neck(False)),
        ),
        statistics_interval=2,
        entropy_tau=3.0,
    ),
)

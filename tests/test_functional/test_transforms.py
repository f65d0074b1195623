"""Every public function under ``torch.func`` and ``torch.compile``.

Letters: ``P`` problems, each of ``R`` proposals and ``C`` classes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from eakd_det import functional
from eakd_det.errors import ConfigError

P, R, C = 3, 4, 5
NOT_OF_TENSORS = {
    *('EA_MODES', 'DKDTerms', 'EAMode', 'FGDTerms', 'InnerMaps', 'StandardizeOption', 'Temperature', 'Uncertainty'),
}


class Case(NamedTuple):
    """A function, the shapes of its arguments for one problem, and which of them get a gradient.

    A shape stands for normally distributed numbers, 'labels' for classes, 'tau' and 'share' for numbers above 0.
    """

    function: Callable[..., Tensor | tuple[Tensor, ...]]
    arguments: Sequence[tuple[int, ...] | str]
    learned: tuple[int, ...] = (0,)


LOGITS, PAIR = [(R, C)], [(R, C), (R, C)]
LABELLED = [*PAIR, 'labels']
FEW_CLASSES = [(R, 3), (R, 3)]  # another branch of the batch level
EMBEDDINGS = [(R, 6), (R, 6)]
BOXES = [(R, 4), (R, 4)]


def corners(box: Tensor) -> Tensor:
    """Corners of a box that is not empty, from any four numbers."""
    return torch.cat([box[:, :2], box[:, :2] + box[:, 2:].square() + 0.1], dim=1)


CASES = {
    'entropy': Case(functional.entropy, LOGITS),
    'entropy, learned tau': Case(functional.entropy, [*LOGITS, 'tau'], (0, 1)),
    'check_pair': Case(functional.check_pair, PAIR),
    'soften': Case(functional.soften, [*LOGITS, 'tau'], (0, 1)),
    'kd_divergence': Case(functional.kd_divergence, PAIR),
    'kd_divergence, learned tau': Case(functional.kd_divergence, [*PAIR, 'tau'], (0, 2)),
    'kd_divergence, tau of each proposal': Case(functional.kd_divergence, [*PAIR, 'taus'], (0, 2)),
    'dkd_terms': Case(functional.dkd_terms, LABELLED),
    'dkd_divergence': Case(partial(functional.dkd_divergence, tau=2.0), LABELLED),
    'dkd_divergence, learned tau': Case(functional.dkd_divergence, [*LABELLED, 'tau'], (0, 3)),
    'ttm_divergence': Case(functional.ttm_divergence, PAIR),
    'channel_moments': Case(functional.channel_moments, [(2, 3, 2, 2)]),
    'match_moments': Case(functional.match_moments, [(2, 3, 2, 2), (2, 3)]),
    'valuable_region': Case(
        lambda anchors, boxes: functional.valuable_region(corners(anchors), corners(boxes), [R]), BOXES, ()
    ),
    'power_sum': Case(functional.power_sum, LOGITS, ()),
    'rkld_divergence': Case(functional.rkld_divergence, PAIR),
    'jsd_divergence': Case(functional.jsd_divergence, PAIR),
    'skld_divergence': Case(functional.skld_divergence, PAIR),
    'srkld_divergence': Case(functional.srkld_divergence, PAIR),
    'standardize': Case(functional.standardize, LOGITS),
    'standardize, population': Case(partial(functional.standardize, std='population'), LOGITS),
    'giou_divergence': Case(lambda s, t: functional.giou_divergence(corners(s), corners(t)), BOXES),
    'l1_divergence': Case(functional.l1_divergence, BOXES),
    'mse_divergence': Case(functional.mse_divergence, EMBEDDINGS),
    'pad_divergence': Case(functional.pad_divergence, [*EMBEDDINGS, (R, 6)], (0, 2)),
    'pad_divergence, bounded': Case(
        partial(functional.pad_divergence, min_log_variance=0.0), [*EMBEDDINGS, (R, 6)], (0, 2)
    ),
    'pkd_divergence': Case(functional.pkd_divergence, [(2, 3, 5, 7), (2, 3, 5, 7)]),
    'hcl_divergence': Case(functional.hcl_divergence, [(2, 3, 5, 7), (2, 3, 5, 7)]),
    'at_divergence': Case(functional.at_divergence, [(2, 3, 5, 7), (2, 3, 5, 7)]),
    'fgd_terms': Case(
        lambda s, t, scale: functional.fgd_terms(s, t, scale.relu()), [(2, 3, 5, 7), (2, 3, 5, 7), (2, 5, 7)]
    ),
    'foreground_scale': Case(lambda boxes: functional.foreground_scale(corners(boxes), (5, 7), (5, 7)), [(R, 4)], ()),
    'negative_means': Case(functional.negative_means, [(2, 3, 5, 7)], ()),
    'ofd_divergence': Case(functional.ofd_divergence, [(2, 3, 5, 7), (2, 3, 5, 7)]),
    'rkd_distance_divergence': Case(functional.rkd_distance_divergence, EMBEDDINGS),
    'rkd_angle_divergence': Case(functional.rkd_angle_divergence, EMBEDDINGS),
    'nd_divergence': Case(functional.nd_divergence, [*EMBEDDINGS, (R, 6)]),
    'crd_divergence': Case(functional.crd_divergence, [*EMBEDDINGS, 'labels']),
    'cat_divergence': Case(partial(functional.cat_divergence, num_images=C), LABELLED),
    'adakd_weight': Case(functional.adakd_weight, [*LOGITS, 'labels', 'share'], ()),
    'batch_gram_distance': Case(functional.batch_gram_distance, PAIR),
    'batch_gram_distance, few classes': Case(functional.batch_gram_distance, FEW_CLASSES),
    'batch_gram_distance, masked': Case(
        lambda s, t, rows: functional.batch_gram_distance(s, t, 2.0, rows), [*PAIR, (R,)]
    ),
    'class_gram_distance': Case(functional.class_gram_distance, PAIR),
    'class_gram_distance, masked': Case(
        lambda s, t, columns: functional.class_gram_distance(s, t, 2.0, columns), [*PAIR, (C,)]
    ),
    **{f'ea_weight, {mode}': Case(partial(functional.ea_weight, mode=mode), PAIR, ()) for mode in functional.EA_MODES},
    'binary_pairs': Case(functional.binary_pairs, LOGITS),
    'binary_entropy': Case(functional.binary_entropy, LOGITS),
    'binary_kd_divergence': Case(functional.binary_kd_divergence, PAIR),
    'binary_kd_divergence, learned tau': Case(functional.binary_kd_divergence, [*PAIR, 'tau'], (0, 2)),
    'binary_focal_divergence': Case(functional.binary_focal_divergence, PAIR),
    'binary_ea_weight': Case(functional.binary_ea_weight, PAIR, ()),
    'normalized_entropy': Case(functional.normalized_entropy, LOGITS, ()),
    'curriculum_weight': Case(functional.curriculum_weight, [*LOGITS, 'share'], ()),
    'entropy_temperature': Case(functional.entropy_temperature, LOGITS, ()),
    'uncertainty': Case(partial(functional.uncertainty, measure='margin'), LOGITS, ()),
    'hard_rows': Case(functional.hard_rows, LOGITS, ()),
    'hard_rows, quantile': Case(partial(functional.hard_rows, quantile=0.3), LOGITS, ()),
    'unsure_rows': Case(functional.unsure_rows, LOGITS, ()),
    'rare_columns': Case(functional.rare_columns, LOGITS, ()),
    'scale_gradient': Case(partial(functional.scale_gradient, factor=-0.5), LOGITS),
    'scale_gradient, factor as a tensor': Case(functional.scale_gradient, [*LOGITS, 'share']),
    'cosine_reversal': Case(functional.cosine_reversal, ['share']),
}
every_case = pytest.mark.parametrize('case', CASES.values(), ids=CASES)
DIFFERENTIABLE = {name: case for name, case in CASES.items() if case.learned}
CONSTANT = {name: case for name, case in CASES.items() if not case.learned}
every_differentiable = pytest.mark.parametrize('case', DIFFERENTIABLE.values(), ids=DIFFERENTIABLE)


def _problems(case: Case) -> list[Tensor]:
    """The arguments of ``P`` problems, stacked along a leading dimension."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for argument in case.arguments:
        if argument == 'labels':
            made.append(torch.randint(C, (P, R), generator=generator))
        elif isinstance(argument, str):
            shape = (P, R) if argument == 'taus' else (P,)
            uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
            made.append(uniform if argument == 'share' else 1 + 2 * uniform)
        else:
            made.append(2 * torch.randn(P, *argument, generator=generator, dtype=torch.float64))
    return made


def _problem(case: Case) -> list[Tensor]:
    return [argument[0] for argument in _problems(case)]


def _total(case: Case) -> Callable[..., Tensor]:
    """A scalar that depends on every output, on each in a different way."""

    def total(*arguments: Tensor) -> Tensor:
        outputs = tree_leaves(case.function(*arguments))
        return sum((o * torch.arange(1.0, o.numel() + 1).view_as(o)).sum() for o in outputs)

    return total


def _autograd(case: Case, arguments: Sequence[Tensor]) -> tuple[Tensor, ...]:
    arguments = [a.clone().requires_grad_(i in case.learned) for i, a in enumerate(arguments)]
    return torch.autograd.grad(_total(case)(*arguments), [arguments[i] for i in case.learned])


def _assert_close(actual, expected) -> None:
    torch.testing.assert_close(tree_leaves(actual), tree_leaves(expected))


def test_every_public_function_is_here():
    tested = {name.partition(',')[0] for name in CASES}
    assert tested == set(functional.__all__) - NOT_OF_TENSORS


@every_differentiable
def test_grad(case):
    arguments = _problem(case)
    _assert_close(torch.func.grad(_total(case), case.learned)(*arguments), _autograd(case, arguments))


@pytest.mark.parametrize('case', CONSTANT.values(), ids=CONSTANT)
def test_grad_of_what_has_none_is_zero(case):
    gradient = torch.func.grad(_total(case))(*_problem(case))
    assert gradient.abs().max() == 0


@every_differentiable
def test_no_gradient_reaches_the_other_arguments(case):
    arguments = _problem(case)
    for index, argument in enumerate(arguments):
        if index not in case.learned and argument.is_floating_point() and case.arguments[index] in PAIR + EMBEDDINGS:
            assert torch.func.grad(_total(case), index)(*arguments).abs().max() == 0


@every_case
def test_vmap_over_problems(case):
    problems = _problems(case)
    expected = [case.function(*arguments) for arguments in zip(*problems, strict=True)]
    actual = torch.func.vmap(case.function)(*problems)
    for index in range(P):
        _assert_close([leaf[index] for leaf in tree_leaves(actual)], expected[index])


@every_case
def test_vmap_over_one_argument(case):
    problems = _problems(case)
    for mapped in range(len(problems)):
        arguments = [argument if index == mapped else argument[0] for index, argument in enumerate(problems)]
        in_dims = tuple(0 if index == mapped else None for index in range(len(problems)))
        actual = torch.func.vmap(case.function, in_dims)(*arguments)
        for index in range(P):
            one = [argument[index] if i == mapped else argument for i, argument in enumerate(arguments)]
            expected = tree_leaves(case.function(*one))
            _assert_close([leaf[index] for leaf in tree_leaves(actual)], expected)


@every_differentiable
def test_gradient_of_each_problem(case):
    problems = _problems(case)
    actual = torch.func.vmap(torch.func.grad(_total(case), case.learned))(*problems)
    for index, arguments in enumerate(zip(*problems, strict=True)):
        _assert_close([gradient[index] for gradient in actual], _autograd(case, arguments))


@every_differentiable
def test_jacobians_forward_and_backward(case):
    arguments = _problem(case)
    backward = torch.func.jacrev(case.function, case.learned)(*arguments)
    forward = torch.func.jacfwd(case.function, case.learned)(*arguments)
    _assert_close(forward, backward)


@every_differentiable
def test_hessian(case):
    arguments = _problem(case)

    def of_learned(*learned: Tensor) -> Tensor:
        mixed = list(arguments)
        for index, argument in zip(case.learned, learned, strict=True):
            mixed[index] = argument
        return _total(case)(*mixed)

    learned = tuple(arguments[index] for index in case.learned)
    expected = torch.autograd.functional.hessian(of_learned, learned)
    _assert_close(torch.func.hessian(of_learned, tuple(range(len(learned))))(*learned), expected)


def test_shapes_are_checked_under_vmap():
    with pytest.raises(ConfigError, match='same sites and classes'):
        torch.func.vmap(functional.kd_divergence)(torch.zeros(P, R, C), torch.zeros(P, R, C + 1))


@pytest.mark.parametrize('label', [-1, C])
def test_labels_are_checked_under_vmap(label):
    labels = torch.zeros(P, R, dtype=torch.int64)
    labels[1, 2] = label
    with pytest.raises(ConfigError, match='gt_labels: expected labels from 0 to 4'):
        torch.func.vmap(functional.dkd_divergence)(torch.zeros(P, R, C), torch.zeros(P, R, C), labels)


def _check_compiled(case: Case, backend: str) -> None:
    torch.compiler.reset()
    arguments = _problem(case)
    compiled = case._replace(function=torch.compile(case.function, fullgraph=True, backend=backend))
    _assert_close(compiled.function(*arguments), case.function(*arguments))
    if case.learned:
        _assert_close(_autograd(compiled, arguments), _autograd(case, arguments))


@every_case
def test_compiles_into_one_graph(case):
    _check_compiled(case, 'eager')


@pytest.mark.slow
@every_case
def test_compiles_forward_and_backward(case):
    _check_compiled(case, 'aot_eager')


@pytest.mark.slow
@pytest.mark.skipif(shutil.which('c++') is None, reason='inductor needs a C++ compiler')
@pytest.mark.parametrize('name', ['kd_divergence', 'dkd_divergence', 'ea_weight, ea'])
def test_compiles_to_machine_code(name):
    _check_compiled(CASES[name], 'inductor')


def test_one_compiled_loss_serves_any_number_of_proposals_and_any_temperature():
    def loss(student: Tensor, teacher: Tensor, labels: Tensor, tau: float) -> Tensor:
        weight = functional.ea_weight(student, teacher, tau)
        return (weight * functional.dkd_divergence(student, teacher, labels, tau)).mean()

    torch.compiler.reset()
    compiled = torch.compile(loss, fullgraph=True, backend='aot_eager')
    for rows, tau in ((7, 1.0), (9, 3.0), (12, 4.0)):
        student, teacher = torch.randn(2, rows, C)
        labels = torch.randint(C, (rows,))
        torch.testing.assert_close(compiled(student, teacher, labels, tau), loss(student, teacher, labels, tau))

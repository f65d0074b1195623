"""The plans in configs/studies: every arm composes, its losses build, and the arms are those of the papers' tables."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from eakd_det.cli.composition import compose, config_files, drop_parts
from eakd_det.cli.config import merge_options
from eakd_det.functional import kd_divergence, standardize
from eakd_det.lab.experiment.plan import Arm, Plan
from eakd_det.lab.experiment.plan_file import read_plan
from eakd_det.losses import KDLoss

STUDIES = Path(__file__).parents[2] / 'configs' / 'studies'
PATHS = sorted(STUDIES.glob('*.py'))


@functools.cache
def plan_of(name: str) -> Plan:
    return read_plan(STUDIES / f'{name}.py')


@functools.cache
def _read(path: Path) -> Config:
    return Config.fromfile(path)


def composed(arm: Arm, options: Mapping[str, Any]) -> Config:
    """As the runner composes it, but with each file read once."""
    first, *method = [copy.deepcopy(_read(path)) for path in config_files(str(arm.config))]
    cfg = drop_parts(compose(first, *method, str(arm.config)) if method else first)
    merge_options(cfg, {**options, **arm.options})
    return cfg


def loss(plan: Plan, arm: str) -> dict[str, Any]:
    (found,) = composed(plan.arm(arm), plan.options).model.distiller.distill_losses.values()
    return found


@pytest.mark.parametrize('path', PATHS, ids=lambda path: path.stem)
def test_every_arm_composes_and_its_losses_build(path):
    plan = read_plan(path)
    seen = set()
    for arm in plan.arms:
        cfg = composed(arm, plan.options)
        assert ('distiller' in cfg.model) == (not Path(str(arm.config)).name.startswith('student'))
        with DefaultScope.overwrite_default_scope('mmdet'):
            losses = cfg.model.get('distiller', {}).get('distill_losses', {})
            assert all(isinstance(MODELS.build(each), torch.nn.Module) for each in losses.values())
        seen.add(str({key: value for key, value in cfg.to_dict().items() if key != 'work_dir'}))
    assert len(seen) == len(plan.arms)  # no arm repeats another
    if plan.teacher.config is not None:
        composed(Arm('teacher', 'teacher', plan.teacher.config, plan.teacher.options), plan.options)


def test_weights_of_tables_1_and_9():
    plan = plan_of('demo_weight_form')
    modes = {
        'h-teacher': 'teacher',
        'h-student': 'student',
        'inverse-h-teacher': 'inverse-teacher',
        'inverse-h-student': 'inverse-student',
        'interact': 'interact',
        'ea': 'ea',
    }
    assert {name: loss(plan, name)['weighting']['mode'] for name in modes} == modes
    others = plan_of('demo_weight_form_losses')
    hosts = ('mld', 'mld-ls', 'fcfd')
    assert {arm.name for arm in others.arms} - {'student'} == {
        name for host in hosts for name in (host, *(f'{host}-{mode}' for mode in ('base', 'interact', 'ea')))
    }
    assert [loss(others, f'mld-ls-{mode}')['standardize'] for mode in ('base', 'ea')] == [True, True]


def test_temperatures_of_table_8():
    plan = plan_of('demo_temperature')
    assert {2.0, 3.0, 4.0} <= {loss(plan, name)['weighting']['tau'] for name in dict(plan.sweeps)["EA-KD, T' 1 to 4"]}


def test_betas_of_figure_8():
    plan = plan_of('demo_dkd_beta')
    for sweep, arms in plan.sweeps:
        losses = [loss(plan, name) for name in arms]
        assert [each['beta'] for each in losses] == [0.25, 0.5, 1, 2, 4, 8]
        kinds = {each['weighting']['type'].split('.')[-1] for each in losses}
        assert kinds == {'EntropyWeighting' if sweep.startswith('EA') else 'UniformWeighting'}


def test_each_method_has_its_ea_form():
    plan = plan_of('demo_methods')
    names = {arm.name for arm in plan.arms}
    without = {'student', 'wttm', 'ctkd-ls', 'pad', 'egad-inspired'}
    plain = {name for name in names - without if not name.startswith('ea-')}
    assert names - without - plain == {f'ea-{name}' for name in plain}
    for name in plain:
        ours, theirs = loss(plan, f'ea-{name}'), loss(plan, name)
        assert ours.pop('weighting')['type'] == 'eakd_det.EntropyWeighting'
        theirs.pop('weighting')
        assert ours == theirs


def test_schedules_end_with_the_training():
    plan = plan_of('demo_epochs')
    for arm in plan.arms:
        cfg = composed(arm, plan.options)
        iters = int(arm.title.split()[-2])
        assert arm.name.endswith('' if iters == 220 else f'-{iters}')
        warm_up, cosine = cfg.param_scheduler
        ends = (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval, cfg.default_hooks.checkpoint.interval, cosine.end)
        assert ends == (iters,) * 4
        assert (warm_up.end, cosine.begin, cosine.T_max) == (50, 50, iters - 50)
    assert [arm.name for arm in plan.arms][:3] == ['student-110', 'kd-110', 'ea-kd-110']


def test_weights_and_temperatures_of_the_table_4_of_ls():
    plan = plan_of('demo_ls')
    for method, standardizes in (('kd', False), ('kd-ls', True)):
        losses = [loss(plan, arm.name) for arm in plan.arms if arm.name.startswith(f'{method}-weight')]
        assert [each['loss_weight'] for each in losses] == [0.9, 3, 6, 9, 12, 15, 18]
        assert {(each['tau'], each.get('standardize', False)) for each in losses} == {(2.0, standardizes)}
    assert [loss(plan, name)['tau'] for name in dict(plan.sweeps)['KD+LS, base temperature 1 to 4']] == [1, 2, 3, 4]


def test_centring_alone_is_kd_and_scaling_alone_is_ls():
    """The reason why the table of LS with four columns has two arms for each weight here."""
    student, teacher = torch.randn(2, 9, 5, generator=torch.manual_seed(0), dtype=torch.float64)
    centred, scaled = (
        (student - student.mean(1, keepdim=True), teacher - teacher.mean(1, keepdim=True)),
        (student / student.std(1, keepdim=True), teacher / teacher.std(1, keepdim=True)),
    )
    torch.testing.assert_close(kd_divergence(*centred, 2.0), kd_divergence(student, teacher, 2.0))
    torch.testing.assert_close(
        KDLoss(tau=2.0)(*scaled), KDLoss(tau=2.0, standardize=True)(student, teacher), rtol=1e-6, atol=0
    )


def test_the_toy_case_of_figure_2_of_ls():
    """KL prefers the wrong student, KL of standardised logits the right one; all values are those of the figure.

    Its logits are known up to a shift; the values are those of the standard deviation with n - 1.
    """
    teacher = torch.tensor([[0.0, 3.0, 2.0, 1.0]], dtype=torch.float64)  # cat, dog, bird, frog
    right, wrong = teacher / 10, torch.tensor([[0.0, 1.8, 2.0, 1.0]], dtype=torch.float64)
    assert wrong.argmax() != teacher.argmax() == right.argmax()
    plain = [float(kd_divergence(student, teacher, 1.0)) for student in (wrong, right)]
    assert plain == pytest.approx([0.1749, 0.3457], abs=5e-5)
    z = [float(kd_divergence(standardize(student), standardize(teacher), 1.0)) for student in (wrong, right)]
    assert z == pytest.approx([0.0995, 0], abs=5e-5)


@pytest.mark.parametrize('teacher_width', [16, 64])
def test_a_teacher_of_another_width_fits_its_arms(teacher_width):
    plan = plan_of(f'demo_size_t{teacher_width}-s16')
    cfg = composed(Arm('teacher', 'teacher', plan.teacher.config, plan.teacher.options), {})
    assert cfg.model.backbone.base_channels == teacher_width
    distilled = [composed(arm, plan.options).model for arm in plan.arms if arm.name != 'student']
    assert len(distilled) == 7
    for model in distilled:
        parts = ('backbone', 'neck', 'rpn_head')
        assert {part: model.teacher[part].to_dict() for part in parts} == {
            part: cfg.model[part].to_dict() for part in parts
        }


@pytest.mark.parametrize('student_width', [8, 24])
def test_a_student_of_another_width_is_that_of_every_arm(student_width):
    plan = plan_of(f'demo_size_t32-s{student_width}')
    student, *distilled = [composed(arm, plan.options).model for arm in plan.arms]
    assert student.backbone.base_channels == student_width
    assert all(model.architecture.to_dict() == student.to_dict() for model in distilled)


@pytest.mark.parametrize('pair', ['swin-t-r18_coco', 'swin-t-mv2_coco'])
def test_a_transformer_teacher_has_weights_at_a_temperature_of_2(pair):
    for method in (
        'ea-kd',
        'kd-matched',
        'ea-kd-ls',
        'ea-dkd',
        'ea-mld',
        'ea-ttm',
        'ea-skld',
        'ea-review-kd',
        'ea-fcfd',
    ):
        model = composed(Arm(method, method, Path(f'{STUDIES.parent}/pairs/{pair}.py+{method}')), {}).model
        (found,) = model.distiller.distill_losses.values()
        assert found.weighting.tau == 2.0
        if method == 'ea-review-kd':
            assert found.loss_weight == (1.2 if 'r18' in pair else 2.0)  # as for the other teachers

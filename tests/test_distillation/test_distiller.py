"""Wiring of losses: the shared proposals, MMRazor's recorders and connectors, and the statistics."""

from __future__ import annotations

import copy

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.step_record import record_step
from eakd_det.registry import MODELS
from tests import tiny

NECK = dict(neck=dict(type='ModuleOutputs', source='neck'))


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn())


@pytest.fixture(scope='module')
def teacher():
    return tiny.build(tiny.faster_rcnn(), seed=1)


@pytest.fixture
def make(student, teacher):
    return lambda losses=None, **distiller: tiny.distill(
        copy.deepcopy(student), copy.deepcopy(teacher), losses, distiller=distiller
    ).train()


def mapping(loss, argument, recorder, from_student, **more):
    return {loss: {argument: dict(recorder=recorder, from_student=from_student, **more)}}


def test_mmrazor_losses_run_next_to_the_proposal_loss(make):
    model = make(
        dict(loss_kd=dict(type='eakd_det.KDLoss'), loss_pkd=dict(type='PKDLoss', loss_weight=3.0)),
        student_recorders=NECK,
        teacher_recorders=NECK,
        loss_forward_mappings=dict(
            loss_pkd=dict(
                preds_S=dict(recorder='neck', from_student=True), preds_T=dict(recorder='neck', from_student=False)
            )
        ),
    )
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    assert losses['distill.loss_pkd'] > 0


def test_the_teacher_is_recorded_before_and_after_the_student_runs(make):
    both = dict(NECK, classes=dict(type='ModuleOutputs', source='roi_head.bbox_head.fc_cls'))
    model = make(
        dict(loss_pkd=dict(type='PKDLoss'), loss_l2=dict(type='L2Loss', normalize=False)),
        student_recorders=both,
        teacher_recorders=both,
        loss_forward_mappings=dict(
            loss_pkd=dict(
                preds_S=dict(recorder='neck', from_student=True), preds_T=dict(recorder='neck', from_student=False)
            ),
            loss_l2=dict(
                s_feature=dict(recorder='classes', from_student=True),
                t_feature=dict(recorder='classes', from_student=False),
            ),
        ),
    )
    steps = tiny.steps_of(model)
    for seed in range(2):  # the second step starts with what the first left
        losses = tiny.step(model, tiny.batch(seed=seed), seed)
        assert losses['distill.loss_pkd'] > 0
        student, teacher = steps[seed].student.logits, steps[seed].teacher.logits
        expected = (student - teacher).square().sum() / len(student)
        torch.testing.assert_close(losses['distill.loss_l2'], expected)


def test_mmrazors_kl_gets_the_shared_logits_and_agrees_with_kd_loss(make):
    model = make(
        dict(loss_kd=dict(type='eakd_det.KDLoss', tau=2.0), loss_kl=dict(type='KLDivergence', tau=2.0)),
        loss_forward_mappings=dict(
            loss_kl=dict(
                preds_S=dict(recorder='proposal_logits', from_student=True),
                preds_T=dict(recorder='proposal_logits', from_student=False),
            )
        ),
    )
    losses = tiny.step(model, tiny.batch())
    assert torch.allclose(losses['distill.loss_kd'], losses['distill.loss_kl'], rtol=1e-5)


@pytest.mark.parametrize('kind', ['EmbeddingLoss', 'PADLoss'])
def test_labels_that_an_old_config_maps_to_a_loss_of_embeddings_are_ignored(make, kind):
    records = dict(preds='proposal_logits', embeddings='proposal_embeddings')
    old = {
        f'{argument}_{side}': dict(recorder=name, from_student=side == 'S')
        for argument, name in records.items()
        for side in 'ST'
    }
    old['gt_labels'] = dict(recorder='proposal_labels', from_student=True)
    cfg = dict(type=f'eakd_det.{kind}', student_channels=24, teacher_channels=24)
    model = make(dict(loss_embedding=cfg), loss_forward_mappings=dict(loss_embedding=old))
    assert tiny.step(model, tiny.batch())['distill.loss_embedding'].isfinite()


def test_embeddings_of_both_sides_are_records(make):
    model = make(
        dict(loss_kd=dict(type='eakd_det.KDLoss'), loss_embedding=dict(type='mmrazor.L2Loss')),
        loss_forward_mappings=dict(
            loss_embedding=dict(
                s_feature=dict(recorder='proposal_embeddings', from_student=True),
                t_feature=dict(recorder='proposal_embeddings', from_student=False),
            )
        ),
    )
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_embedding'] > 0
    (step,) = steps
    assert step.student.embeddings.shape == step.teacher.embeddings.shape == (len(step.sites), 24)


def test_as_many_images_as_proposals(make, student):
    """Two images with one proposal each: what a weight belongs to is what its loss states, not what would fit."""
    maps = dict(
        preds_S=dict(recorder='neck', from_student=True, data_idx=0),
        preds_T=dict(recorder='neck', from_student=False, data_idx=0),
    )
    model = make(
        dict(
            loss_kd=dict(type='eakd_det.KDLoss'),
            loss_cwd=dict(type='eakd_det.EntropyWeighted', loss=dict(type='ChannelWiseDivergence')),
        ),
        student_recorders=NECK,
        teacher_recorders=NECK,
        loss_forward_mappings=dict(loss_cwd=maps),
    )
    model.student.roi_head.bbox_sampler.num = 1
    seen = model.distiller.observe_next_step()
    losses = tiny.step(model, tiny.batch())
    assert len(seen.step.sites) == len(tiny.batch()['inputs']) == 2
    assert {name: terms.unit for name, terms in seen.terms.items()} == {'loss_kd': 'site', 'loss_cwd': 'image'}
    assert {name for name in losses if name.startswith('distill.cwd.')} == {
        'distill.cwd.image_weight',
        'distill.cwd.image_weight_std',
        'distill.cwd.share',
    }
    total = losses['distill.loss_kd'] + losses['distill.loss_cwd']
    assert float(losses['distill.cwd.share']) == pytest.approx(float(losses['distill.loss_cwd'] / total), rel=1e-5)
    assert list(record_step(seen)['losses']) == ['loss_kd']


class MeanOfObjects(torch.nn.Module):
    """A loss of a user's own, on the sites with an object alone."""

    def forward(self, preds_S, labels, objects):
        assert torch.equal(objects, labels < 3)
        return preds_S[objects].mean()


def test_any_loss_may_read_which_sites_have_an_object(make, monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'MeanOfObjects', MeanOfObjects)
    names = dict(preds_S='proposal_logits', labels='proposal_labels', objects='proposal_objects')
    reads = {argument: dict(recorder=name, from_student=True) for argument, name in names.items()}
    model = make(dict(loss_own=dict(type='eakd_det.MeanOfObjects')), loss_forward_mappings=dict(loss_own=reads))
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    step = steps[0]
    assert 0 < step.sites.num_objects < len(step.sites)
    torch.testing.assert_close(losses['distill.loss_own'], step.student.logits[step.sites.is_object].mean())


def test_embeddings_are_not_kept_unless_asked_for(make):
    model = make()
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    assert steps[0].student.embeddings is None
    assert steps[0].teacher.embeddings is None
    assert steps[0].teacher.boxes is None


@pytest.mark.parametrize('source', ['rpn_head', 'roi_head.bbox_head.fc_reg'])
def test_a_teacher_recorder_that_never_fires_says_what_to_change(make, source):
    model = make(
        dict(loss_l2=dict(type='L2Loss')),
        student_recorders=NECK,
        teacher_recorders=dict(late=dict(type='ModuleOutputs', source=source)),
        loss_forward_mappings=dict(
            loss_l2=dict(
                s_feature=dict(recorder='neck', from_student=True, data_idx=0),
                t_feature=dict(recorder='late', from_student=False),
            )
        ),
    )
    if source == 'rpn_head':
        with pytest.raises(ConfigError, match=r"loss_l2\.t_feature: teacher recorder 'late' \(source 'rpn_head'\)"):
            tiny.step(model, tiny.batch())
    else:  # it fires; the shapes are what does not fit
        with pytest.raises(RuntimeError, match='size'):
            tiny.step(model, tiny.batch())


def test_records_are_released_after_the_step(make):
    model = make(student_recorders=NECK, teacher_recorders=NECK)
    tiny.step(model, tiny.batch())
    for manager in (model.distiller.student_recorders, model.distiller.teacher_recorders):
        assert all(not recorder.data_buffer for recorder in manager.recorders.values())


def test_inplace_activations_stay_unless_a_recorder_could_be_overwritten(make):
    def inplace(model):
        return {module.inplace for module in model.student.modules() if hasattr(module, 'inplace')}

    assert True in inplace(make())
    assert inplace(make(student_recorders=NECK)) == {False}


@pytest.mark.parametrize(
    ('losses', 'distiller', 'message'),
    [
        (dict(loss_pkd=dict(type='PKDLoss')), {}, r'loss_forward_mappings: loss_pkd \(PKDLoss\) needs an entry'),
        (None, dict(distill_deliveries=dict(a=dict(type='MethodOutputs'))), 'distill_deliveries: expected none'),
        (None, dict(student_recorders=dict(proposal_logits=NECK['neck'])), 'proposal_logits are reserved'),
        (
            None,
            dict(loss_forward_mappings=mapping('loss_other', 'preds_S', 'neck', True)),
            '"loss_other" is not in distill losses',
        ),
        (
            None,
            dict(loss_forward_mappings=mapping('loss_kd', 'preds_S', 'nothing', True)),
            '"nothing" must be in `student_recorders`',
        ),
        (
            None,
            dict(loss_forward_mappings=mapping('loss_kd', 'logits', 'neck', True)),
            'logits is not in the signature of KDLoss forward',
        ),
        (
            dict(loss_kd=dict(type='eakd_det.KDLoss'), kd_loss=dict(type='eakd_det.KDLoss')),
            {},
            'expected names that differ',
        ),
        (dict(loss_kd=dict(type='eakd_det.KDLoss', tau=0)), {}, 'tau: expected a finite number > 0, .* but got 0'),
    ],
)
def test_wrong_wiring_is_one_clear_line(make, losses, distiller, message):
    with pytest.raises(ConfigError, match=message) as caught:
        make(losses, **distiller)
    assert '\n' not in str(caught.value)


def test_what_a_loss_says_of_itself_is_averaged_in_the_log(make):
    model = make(
        dict(loss_ctkd=dict(type='eakd_det.KDLoss', tau=dict(type='LearnedTemperature'))), statistics_interval=2
    )
    temperature = model.distiller.distill_losses.loss_ctkd.tau
    seen = []
    for theta in (1.0, 3.0):
        temperature.theta.data.fill_(theta)
        seen.append(float(temperature.value()))
        losses = tiny.step(model, tiny.batch())
    assert float(losses['distill.ctkd.tau']) == pytest.approx(sum(seen) / 2, rel=1e-5)


def test_statistics_come_when_due_and_average_the_interval(make):
    model = make(statistics_interval=2)
    first, second, third = (tiny.step(model, tiny.batch(seed=seed), seed) for seed in range(3))
    names = {
        'distill.kd.fg_weight',
        'distill.kd.fg_weight_std',
        'distill.kd.bg_weight',
        'distill.kd.bg_weight_std',
        'distill.entropy_student',
        'distill.entropy_teacher',
        'distill.ratio_to_detection',
    }
    assert names <= set(first)
    assert names <= set(second)
    assert not names & set(third)
    assert not any('loss' in name for name in names)
    ratios = []
    for losses in (first, second):
        detection = sum(
            value.mean() if torch.is_tensor(value) else sum(item.mean() for item in value)
            for name, value in losses.items()
            if name.startswith('student.') and 'loss' in name
        )
        ratios.append(float(losses['distill.loss_kd'] / detection))
    assert float(first['distill.ratio_to_detection']) == pytest.approx(ratios[0], rel=1e-5)
    assert float(second['distill.ratio_to_detection']) == pytest.approx(sum(ratios) / 2, rel=1e-5)

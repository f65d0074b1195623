"""MMRazor's shipped detection recipes: in its own algorithms, next to a RoI loss, and with EA weights."""

from __future__ import annotations

import copy
import os
from typing import Any

import mmdet
import mmrazor
import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as MMRAZOR_MODELS

from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config
from eakd_det.cli.unshared_proposals import unshared_proposals
from eakd_det.errors import ConfigError
from eakd_det.models import read_model_config
from eakd_det.weighting import EntropyWeighting, image_weights
from tests import tiny

SHIPPED = os.path.join(os.path.dirname(mmrazor.__file__), '.mim', 'configs', 'distill', 'mmdet')
RECIPES = {
    'cwd': 'cwd/cwd_fpn_frcnn_r101_frcnn_r50_1x_coco.py',
    'pkd': 'pkd/pkd_fpn_faster-rcnn_r101_faster-rcnn_r50_2x_coco.py',
    'fbkd': 'fbkd/fbkd_fpn_faster-rcnn_r101_faster-rcnn_r50_1x_coco.py',
    'mgd': 'mgd/mgd_fpn_retina_x101_retina_r50_2x_coco.py',
}
SEPARABLE = ('cwd', 'mgd')
EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
SIZES = ((128, 160), (128, 128))  # FBKD pools the coarsest level three times
CHANNELS = ('in_channels', 'student_channels', 'teacher_channels')


@pytest.mark.parametrize('name', RECIPES)
def test_the_detectors_of_a_shipped_recipe_are_found(name: str):
    path = os.path.join(SHIPPED, RECIPES[name])
    for model in (load_config(parse_train_arguments([path])).model, Config.fromfile(path).model):
        for side in ('architecture', 'teacher'):
            assert read_model_config(model[side], side).type in ('FasterRCNN', 'RetinaNet')
    named = [
        load_config(parse_train_arguments([path])).model[side].get('cfg_path') for side in ('architecture', 'teacher')
    ]
    assert all(get_config(cfg_path).model for cfg_path in named if cfg_path)  # by MMEngine, which MMRazor asks


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn(num_rois=16))


@pytest.fixture(scope='module')
def teacher():
    return tiny.build(tiny.faster_rcnn(num_rois=16), seed=1)


def narrow(node: Any) -> Any:
    """The tiny detectors have 16 channels where the recipes expect 256."""
    if not isinstance(node, dict):
        return node
    return {key: 16 if key in CHANNELS else narrow(value) for key, value in node.items()}


def recipe(name: str) -> dict[str, Any]:
    """A shipped recipe: its algorithm's type and its distiller, narrowed, and otherwise as shipped."""
    model = Config.fromfile(os.path.join(SHIPPED, RECIPES[name])).model.to_dict()
    return dict(type=model['type'], distiller=narrow(model['distiller']))


def beside_proposals(name: str, **wrapper: Any) -> dict[str, Any]:
    """The recipe's distiller for ``ProposalDistill``, next to EA-KD; with ``wrapper`` each loss in EntropyWeighted."""
    distiller = recipe(name)['distiller']
    distiller.pop('type')
    losses = distiller.pop('distill_losses')
    if name == 'mgd':  # made for RetinaNet, whose neck has a fifth convolution; Faster R-CNN pools its fifth level
        for part in (distiller['student_recorders'], distiller['teacher_recorders']):
            del part['fpn4']
        del distiller['connectors']['s_fpn4_connector'], distiller['loss_forward_mappings']['loss_mgd_fpn4']
        del losses['loss_mgd_fpn4']
    if wrapper:
        losses = {key: dict(type='eakd_det.EntropyWeighted', loss=loss, **wrapper) for key, loss in losses.items()}
    return dict(losses=dict(losses, loss_kd=dict(type='eakd_det.KDLoss', weighting=EA)), distiller=distiller)


def stock(student: Any, teacher: Any, distiller: dict[str, Any], algorithm: str = 'SingleTeacherDistill') -> Any:
    torch.manual_seed(0)
    cfg = dict(
        _scope_='mmrazor',
        type=algorithm,
        architecture=copy.deepcopy(student),
        teacher=copy.deepcopy(teacher),
        distiller=dict(distiller, type='ConfigurableDistiller'),
    )
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MMRAZOR_MODELS.build(cfg)
    model.train()  # MMRazor's returns nothing
    return model


def train(model: Any, steps: int = 5) -> list[dict[str, float]]:
    """Train on one batch; returns the distillation losses of each step."""
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    history = []
    for _ in range(steps):
        losses = tiny.step(model, tiny.batch(SIZES))
        history.append({name: float(value) for name, value in losses.items() if name.startswith('distill.loss')})
        optimizer.step()
    return history


def assert_trained(model: Any, history: list[dict[str, float]], before: dict[str, torch.Tensor]) -> None:
    # The added EA-KD may rise at first: both heads start near the uniform distribution.
    first, last = (sum(value for name, value in losses.items() if 'loss_kd' not in name) for losses in history[::4])
    assert last < 0.95 * first
    assert all(value > 0 for losses in history for value in losses.values())
    moved = {name for name, value in model.student.named_parameters() if not torch.equal(value, before[name])}
    assert any(name.startswith('neck') for name in moved)
    for parameter in model.distiller.connectors.parameters():
        assert parameter.grad is not None


@pytest.mark.parametrize('name', ['cwd', 'pkd', 'fbkd'])
def test_as_shipped_in_mmrazors_algorithm(name, student, teacher):
    shipped = recipe(name)
    model = stock(student, teacher, shipped['distiller'], shipped['type'])
    assert_trained(model, train(model), student.state_dict())


def test_mgd_as_shipped_on_retinanet():
    def retinanet(seed):
        cfg = tiny.faster_rcnn()
        path = os.path.join(os.path.dirname(mmdet.__file__), '.mim/configs/_base_/models/retinanet_r50_fpn.py')
        retina = Config.fromfile(path).model
        retina.backbone = cfg.backbone
        retina.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
        retina.bbox_head.update(num_classes=3, in_channels=16, feat_channels=16, stacked_convs=1)
        return tiny.build(retina, seed)

    student, shipped = retinanet(0), recipe('mgd')
    model = stock(student, retinanet(1), shipped['distiller'], shipped['type'])
    assert_trained(model, train(model), student.state_dict())


@pytest.mark.parametrize('name', RECIPES)
def test_beside_a_proposal_loss_with_and_without_weights(name, student, teacher):
    def build(**wrapper):
        torch.manual_seed(0)
        return tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), **beside_proposals(name, **wrapper)).train()

    plain, weighted = build(), build(weighting=EA)
    frozen = copy.deepcopy(plain.teacher.state_dict())
    histories = {}
    for model in (plain, weighted):
        histories[model] = train(model)
        assert_trained(model, histories[model], student.state_dict())
        assert all(torch.equal(value, frozen[key]) for key, value in model.teacher.state_dict().items())
    first, first_weighted = histories[plain][0], histories[weighted][0]
    assert first['distill.loss_kd'] == pytest.approx(first_weighted['distill.loss_kd'], rel=1e-5)
    for key, value in first.items():
        if key != 'distill.loss_kd':
            assert abs(first_weighted[key] / value - 1) > 0.01
    if name in SEPARABLE:
        uniform = train(build(weighting=dict(type='eakd_det.UniformWeighting')), steps=1)[0]
        assert uniform == pytest.approx(first, rel=1e-4)


def test_image_weights_come_from_the_images_proposals(student, teacher):
    model = tiny.distill(student, teacher, **beside_proposals('cwd', weighting=EA)).train()
    seen = {}
    steps = tiny.steps_of(model)
    _keep_terms(model.distiller.distill_losses.loss_cwd_fpn0, seen)
    tiny.step(model, tiny.batch())
    weights = EntropyWeighting()(steps[0].student.logits, steps[0].teacher.logits)
    expected = torch.stack([weights[steps[0].sites.image == index].mean() for index in range(2)])
    torch.testing.assert_close(seen['terms'].weights, expected)


def _keep_terms(loss: Any, seen: dict[str, Any]) -> None:
    terms = loss.terms

    def keep(**arguments: Any) -> Any:
        seen['terms'] = terms(**arguments)
        return seen['terms']

    loss.terms = keep


LOGITS = dict(
    logits=dict(type='ModuleOutputs', source='roi_head.bbox_head.fc_cls'),
    rois=dict(type='ModuleInputs', source='roi_head.bbox_roi_extractor'),
)


def logits_of(student_side: bool) -> dict[str, Any]:
    return dict(recorder='logits', from_student=student_side)


def test_our_losses_in_mmrazors_algorithm_want_shared_samples(student, teacher):
    """Deliveries pass the teacher's samples to the student: RPN and RoI head sample once per image each."""
    distiller = dict(
        student_recorders=LOGITS,
        teacher_recorders=LOGITS,
        distill_deliveries=dict(
            samples=dict(
                type='MethodOutputs', max_keep_data=4, method_path='mmdet.models.task_modules.RandomSampler.sample'
            )
        ),
        distill_losses=dict(
            loss_kd=dict(type='eakd_det.KDLoss', weighting=EA),
            loss_wrapped=dict(type='eakd_det.EntropyWeighted', loss=dict(type='KLDivergence'), weighting=EA),
        ),
        loss_forward_mappings={
            name: dict(preds_S=logits_of(True), preds_T=logits_of(False)) for name in ('loss_kd', 'loss_wrapped')
        },
    )
    assert 'loss_kd: SingleTeacherDistill samples the proposals of student' in unshared_proposals(
        stock(student, teacher, {key: part for key, part in distiller.items() if key != 'distill_deliveries'})
    )
    model = stock(student, teacher, distiller)
    assert unshared_proposals(model) is None
    losses = tiny.step(model, tiny.batch())
    rois = [
        manager.get_recorder('rois').get_record_data(data_idx=1)
        for manager in (model.distiller.student_recorders, model.distiller.teacher_recorders)
    ]
    assert torch.equal(*rois)
    assert losses['distill.loss_kd'] > 0
    torch.testing.assert_close(losses['distill.loss_wrapped'], losses['distill.loss_kd'])


def test_without_shared_samples_images_weigh_by_the_teachers_own_proposals(student, teacher):
    shipped = recipe('fbkd')
    distiller = shipped['distiller']
    distiller['teacher_recorders'].update(LOGITS)
    weighting = dict(EA, mode='teacher')
    distiller['distill_losses'] = {
        name: dict(type='eakd_det.EntropyWeighted', loss=loss, unit='image', weighting=weighting)
        for name, loss in distiller['distill_losses'].items()
    }
    for mapping in distiller['loss_forward_mappings'].values():
        mapping.update(
            weight_preds_S=logits_of(False),
            weight_preds_T=logits_of(False),
            weight_images=dict(recorder='rois', from_student=False, data_idx=1),
        )
    model = stock(student, teacher, distiller, shipped['type'])
    assert unshared_proposals(model) is None
    seen, loss = {}, model.distiller.distill_losses.loss_s0
    _keep_terms(loss, seen)
    history = train(model)
    assert_trained(model, history, student.state_dict())
    assert seen['terms'].weights.shape == (2,)
    assert (seen['terms'].weights > 0).all()


def one_loss(**record: Any) -> dict[str, Any]:
    """A distiller whose only loss compares the student's neck with what ``record`` says."""
    neck = dict(neck=dict(type='ModuleOutputs', source='neck'))
    recorders = dict(neck, **record.pop('recorders', {}))
    return dict(
        losses=dict(loss_l2=dict(type='L2Loss')),
        distiller=dict(
            student_recorders=neck,
            teacher_recorders=recorders,
            connectors=record.pop('connectors', None),
            loss_forward_mappings=dict(
                loss_l2=dict(s_feature=dict(recorder='neck', from_student=True, data_idx=0), **record.pop('more', {}))
                | ({'t_feature': dict(dict(recorder='neck', from_student=False), **record)} if record else {})
            ),
        ),
    )


WHERE = r'loss_forward_mappings\.loss_l2\.t_feature'


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (one_loss(data_idx=7), rf"{WHERE}: teacher recorder 'neck' \(source 'neck'\): .* data_idx 7, but got 5 items"),
        (one_loss(record_idx=1), rf'{WHERE}: teacher recorder .* record_idx 1, but got 1 record'),
        (
            one_loss(recorder='cls', data_idx=0, recorders=dict(cls=LOGITS['logits'])),
            rf"{WHERE}: teacher recorder 'cls' .*expected a tuple for data_idx, but got a Tensor",
        ),
    ]
    + [
        (
            one_loss(recorder='late', recorders=dict(late=dict(type=kind, source=source))),
            rf"{WHERE}: teacher recorder 'late' .* got 0 records .*only the backbone, neck and head of the teacher",
        )
        for kind, source in (
            ('ModuleOutputs', 'rpn_head.rpn_conv'),
            ('ModuleInputs', 'rpn_head'),
            ('MethodOutputs', 'mmdet.models.task_modules.RandomSampler.sample'),
            ('FunctionOutputs', 'mmdet.models.utils.misc.multi_apply'),
        )
    ],
)
def test_a_record_that_is_not_there_says_what_to_change(student, teacher, wrong, message):
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), **wrong).train()
    with pytest.raises(ConfigError, match=message) as caught:
        tiny.step(model, tiny.batch())
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (
            one_loss(recorder='fpn', recorders=dict(fpn=dict(type='ModuleOutputs', source='neck.fpn_conv'))),
            r'teacher_recorders\.fpn\.source: expected a part of the teacher \(FasterRCNN; near: neck\.fpn_convs',
        ),
        (
            one_loss(recorder='fpn', recorders=dict(fpn=dict(type='ModuleOutput', source='neck'))),
            r'model\.distiller: ModuleOutputRecorder is not in the mmrazor::task util registry',
        ),
        (one_loss(connecter='align'), rf'{WHERE}: expected keys among recorder, .*, but got connecter'),
        (one_loss(connector='align'), 'align must be in "connectors"'),
        (one_loss(more={}), r'loss_l2: expected an entry for t_feature, which L2Loss needs, but got s_feature'),
        (one_loss(more=dict(x=dict(recorder='neck', from_student=True))), 'x is not in the signature of L2Loss'),
    ],
)
def test_wrong_wiring_is_found_at_build(student, teacher, wrong, message):
    with pytest.raises(ConfigError, match=message) as caught:
        tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), **wrong)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    ('record', 'message'),
    [
        (
            dict(recorder='nothing', from_student=True),
            r'weight_preds_S: expected one of the student recorders \(box_pred',
        ),
        (dict(recorder='neck'), r"weight_preds_S: expected dict\(recorder='...', from_student=True or False\), but"),
        (dict(recorder='neck', from_student=True, connector='a'), r'weight_preds_S\.connector: expected one of'),
    ],
)
def test_arguments_with_a_default_are_checked(student, teacher, record, message):
    wrong = one_loss(data_idx=0, more=dict(weight_preds_S=record))
    wrong['losses']['loss_l2'] = dict(type='eakd_det.EntropyWeighted', loss=dict(type='L2Loss'), unit='image')
    with pytest.raises(ConfigError, match=message):
        tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), **wrong)


def test_a_parameter_can_be_recorded(student, teacher):
    """A ParameterRecorder keeps its record for good, so the step's clean-up must leave it alone."""
    weight = dict(weight=dict(type='Parameter', source='roi_head.bbox_head.fc_cls.weight'))
    model = tiny.distill(
        copy.deepcopy(student),
        copy.deepcopy(teacher),
        losses=dict(loss_l2=dict(type='L2Loss')),
        distiller=dict(
            student_recorders=weight,
            teacher_recorders=weight,
            loss_forward_mappings=dict(
                loss_l2=dict(
                    s_feature=dict(recorder='weight', from_student=True),
                    t_feature=dict(recorder='weight', from_student=False),
                )
            ),
        ),
    ).train()
    assert len(train(model, steps=2)) == 2


def test_image_weights_are_the_weightings(student):
    weights, images = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1])
    torch.testing.assert_close(image_weights(weights, images, 2), torch.tensor([2.0, 2.0]))

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from eakd_det.errors import ConfigError
from eakd_det.evaluation import CocoEvalHook, EvalRecord
from eakd_det.evaluation.detector_evaluation import evaluate_on_validation_data
from tests import tiny, tiny_data


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data')


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    MMLogger._instance_dict.clear()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def runner(cfg: Config, work_dir: Path) -> Runner:
    cfg.work_dir = str(work_dir)
    return Runner.from_cfg(cfg)


def without_best_checkpoint(cfg: Config) -> Config:
    """MMEngine's CheckpointHook can keep a best checkpoint during training alone; it fails in ``runner.val()``."""
    cfg.default_hooks.checkpoint.pop('save_best')
    return cfg


def the_hook(runner: Runner) -> CocoEvalHook:
    return next(hook for hook in runner.hooks if isinstance(hook, CocoEvalHook))


def entries(work_dir: Path) -> list[tuple[str, int | None]]:
    return [(entry.subject, entry.iteration) for entry in EvalRecord.read(work_dir / 'eval_record.json').entries]


def test_a_record_that_cannot_be_read_is_kept_and_a_new_one_begins(data: Path, tmp_path: Path) -> None:
    broken = tmp_path / 'eval_record.json'
    broken.write_text('{"format": 1, "runs": [')

    runner(tiny_data.student_config(data, iters=2), tmp_path).train()

    assert entries(tmp_path) == [('student', 1), ('student', 2)]
    kept = list(tmp_path.glob('eval_record.corrupt-*.json'))
    assert [file.read_text() for file in kept] == ['{"format": 1, "runs": [']


def test_a_full_disk_stops_no_training_and_the_next_evaluation_catches_up(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = EvalRecord.write
    calls = []

    def full_at_first(record: EvalRecord, path: Path) -> None:
        calls.append(path)
        if len(calls) <= 2:  # the beginning, and the first validation
            raise OSError(28, 'No space left on device')
        write(record, path)

    monkeypatch.setattr(EvalRecord, 'write', full_at_first)
    runner(tiny_data.student_config(data, iters=2), tmp_path).train()

    assert entries(tmp_path) == [('student', 1), ('student', 2)]
    assert len(EvalRecord.read(tmp_path / 'eval_record.json').runs) == 1


def test_what_another_process_wrote_meanwhile_stays(data: Path, tmp_path: Path) -> None:
    """Somebody tests a checkpoint in the work folder of a run that continues."""
    running = runner(tiny_data.student_config(data), tmp_path)
    hook = the_hook(running)
    hook.before_run(running)
    hook.before_train(running)
    other = EvalRecord.read(tmp_path / 'eval_record.json')
    other.runs.append(dict(mode='test'))
    other.write(tmp_path / 'eval_record.json')

    hook.after_val_epoch(running, {'coco/bbox_mAP': 0.25})

    record = EvalRecord.read(tmp_path / 'eval_record.json')
    assert [run['mode'] for run in record.runs] == ['train', 'test']
    assert (record.last().run, record.last().metrics['AP']) == (0, 0.25)


def test_validation_alone_has_no_iteration(data: Path, tmp_path: Path) -> None:
    runner(without_best_checkpoint(tiny_data.student_config(data)), tmp_path).val()
    record = EvalRecord.read(tmp_path / 'eval_record.json')
    assert [(entry.split, entry.iteration, entry.epoch) for entry in record.entries] == [('val', None, None)]
    assert record.runs[0]['mode'] == 'val'


def test_only_the_first_process_writes(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = runner(tiny_data.student_config(data), tmp_path)
    monkeypatch.setattr('eakd_det.evaluation.coco_eval_hook.is_main_process', lambda: False)
    hook = the_hook(running)
    hook.before_run(running)
    hook.before_train(running)
    hook.after_val_epoch(running, {'coco/bbox_mAP': 0.25})
    assert not (tmp_path / 'eval_record.json').exists()


def test_evaluating_the_teacher_changes_nothing_in_the_training(data: Path, tmp_path: Path) -> None:
    """Same seed, with and without: the same weights after two steps, bit for bit."""
    teacher = tmp_path / 'teacher.pth'
    torch.save(dict(state_dict=tiny.build(tiny.faster_rcnn(), seed=5).state_dict()), teacher)
    weights = []
    for asked in (False, True):
        cfg = tiny_data.distill_config(data, str(teacher), iters=2)
        cfg.train_cfg.val_interval = 2
        cfg.custom_hooks = [dict(type='eakd_det.CocoEvalHook', teacher=asked)]
        work_dir = tmp_path / str(asked)
        running = runner(cfg, work_dir)
        running.train()
        weights.append({name: tensor.clone() for name, tensor in running.model.state_dict().items()})

    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())
    assert entries(tmp_path / 'False') == [('student', 2)]
    assert entries(tmp_path / 'True') == [('teacher', None), ('student', 2)]
    assert EvalRecord.read(tmp_path / 'True' / 'eval_record.json').entries[0].checkpoint == str(teacher)


def test_the_teachers_figures_are_those_of_the_detector_alone(data: Path, tmp_path: Path) -> None:
    """The same weights validated as a plain detector give the same metrics, and modes stay as they were."""
    detector = tiny.build(tiny_data._detector(), seed=5)
    detector.train()
    detector.rpn_head.eval()
    plain = runner(without_best_checkpoint(tiny_data.student_config(data)), tmp_path / 'plain')
    plain.model.load_state_dict(detector.state_dict())
    expected = plain.val()
    other = runner(tiny_data.student_config(data), tmp_path / 'other')

    measured = evaluate_on_validation_data(other, detector, 'teacher')

    assert measured == {key: value for key, value in expected.items() if key.startswith('coco/')}
    assert detector.training
    assert not detector.rpn_head.training
    assert detector.backbone.training


def test_what_cannot_be_evaluated(data: Path, tmp_path: Path) -> None:
    running = runner(tiny_data.student_config(data), tmp_path)
    with pytest.raises(
        ConfigError, match=r'CocoEvalHook\.teacher: expected a model with a teacher, but got FasterRCNN'
    ):
        CocoEvalHook(teacher=True).before_train(running)

    cfg = tiny_data.student_config(data)
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    running = runner(cfg, tmp_path)
    with pytest.raises(ConfigError, match='val_dataloader, val_cfg, val_evaluator: the teacher needs them'):
        evaluate_on_validation_data(running, running.model, 'teacher')


def test_the_best_checkpoint_by_ap_is_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CheckpointHook(save_best='coco/bbox_mAP') the file is that of the record's best entry."""
    from mmdet.evaluation import CocoMetric

    measured = iter([0.1, 0.4, 0.2, 0.4])
    monkeypatch.setattr(CocoMetric, 'compute_metrics', lambda self, results: {'bbox_mAP': next(measured)})
    cfg = tiny_data.student_config(data)
    cfg.train_cfg.val_interval = 1
    runner(cfg, tmp_path).train()

    best = EvalRecord.read(tmp_path / 'eval_record.json').best()
    assert (best.iteration, best.metrics['AP']) == (2, 0.4)
    assert [file.name for file in tmp_path.glob('best_*.pth')] == [f'best_coco_bbox_mAP_iter_{best.iteration}.pth']
    shutil.rmtree(tmp_path)

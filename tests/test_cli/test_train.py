from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.config import Config

from eakd_det.checkpoint import load_checkpoint_file, load_detector_weights
from eakd_det.evaluation import EvalRecord
from tests import tiny, tiny_data
from tests.processes import needs_compiled_ops
from tests.test_cli.conftest import Workspace, one_error


def test_training_leaves_checkpoints_a_record_and_the_stock_students_config(trained: Workspace) -> None:
    names = {path.name for path in trained.work_dir.iterdir()}
    assert {'iter_2.pth', 'iter_4.pth', 'student.py', 'student.pth', 'eval_record.json', 'config.py'} <= names
    assert any(name.startswith('best_coco_bbox_mAP_iter_') for name in names)

    student = tiny.build(Config.fromfile(trained.work_dir / 'student.py').model)
    assert load_detector_weights(student, trained.work_dir / 'iter_4.pth').is_complete


def test_what_is_trained_stands_first(workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture) -> None:
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=1)
    assert workspace.train(workspace.write(cfg)) == 0
    captured = capsys.readouterr()
    lines = [line for line in (captured.out + captured.err).splitlines() if line.strip()]
    assert (
        f'FasterRCNN learns from FasterRCNN ({teacher_ckpt}) by loss_kd; 4 images to train on; '
        f'3 images to validate on; 3 classes (square, disc, ring); 1 iteration; into {workspace.work_dir}'
    ) in lines[0]


DETECT_WITHOUT_THE_PACKAGE = """
import sys
sys.modules['eakd_det'] = sys.modules['mmrazor'] = None  # what an import of them meets where they are not installed
import torch
from mmdet.apis import inference_detector, init_detector
config, checkpoint, image, out = sys.argv[1:]
model = init_detector(config, checkpoint, device='cpu')
print(model.dataset_meta['classes'])
inference_detector(model, image)
torch.save(dict(model.state_dict()), out)
"""


@needs_compiled_ops
def test_stock_mmdetection_loads_the_student_of_a_distillation(
    workspace: Workspace, teacher_ckpt: str, tmp_path: Path
) -> None:
    assert workspace.train(workspace.write(tiny_data.distill_config(workspace.data, teacher_ckpt, iters=2))) == 0

    work, out = workspace.work_dir, tmp_path / 'loaded.pth'
    arguments = [work / 'student.py', work / 'student.pth', workspace.data / 'val' / '1.png', out]
    command = [sys.executable, '-W', 'ignore', '-c', DETECT_WITHOUT_THE_PACKAGE, *map(str, arguments)]
    done = subprocess.run(command, cwd=tmp_path, timeout=300, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(tiny_data.CLASSES) in done.stdout
    loaded = torch.load(out, weights_only=True)
    best = next(work.glob('best_coco_bbox_mAP_iter_*.pth'))
    expected = load_checkpoint_file(best)['state_dict']
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in expected.items())


def test_the_record_tells_what_was_measured_when_and_with_what(trained: Workspace) -> None:
    record = EvalRecord.read(trained.work_dir / 'eval_record.json')

    assert [(entry.subject, entry.split, entry.iteration) for entry in record.entries] == [
        ('student', 'val', 2),
        ('student', 'val', 4),
    ]
    assert all(list(entry.metrics) == ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'] for entry in record.entries)
    assert all(0 <= entry.metrics['AP'] <= 1 for entry in record.entries)
    assert record.entries[0].metrics['APl'] is None  # no shape is larger than 96 x 96
    run = record.runs[0]
    assert (run['mode'], run['seed'], run['first_iteration']) == ('train', 0, 0)
    assert 'FasterRCNN' in run['config']['text']
    assert run['versions']['mmdet'] == mmdet.__version__
    scalars = trained.work_dir.glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for path in scalars for line in path.read_text().splitlines()]
    measured = [line['coco/bbox_mAP'] for line in logged if 'coco/bbox_mAP' in line]
    assert [entry.metrics['AP'] for entry in record.entries] == measured


def test_a_student_that_detects_nothing_has_an_ap_of_0(workspace: Workspace) -> None:
    cfg = tiny_data.student_config(workspace.data, iters=2)
    cfg.model.test_cfg.rcnn.score_thr = 1.0
    config = workspace.write(cfg)
    assert workspace.train(config) == 0
    assert workspace.test(config, str(workspace.work_dir / 'iter_2.pth')) == 0
    for folder in (workspace.work_dir, workspace.root / 'tested'):
        last = EvalRecord.read(folder / 'eval_record.json').entries[-1]
        assert (last.metrics['AP'], last.metrics['AP50'], last.metrics['APs']) == (0.0, 0.0, None)


def copy_run(trained: Workspace, root: Path) -> Workspace:
    shutil.copytree(trained.root, root, dirs_exist_ok=True)
    return Workspace(root)


def test_resuming_goes_on_where_the_run_stopped(trained: Workspace, tmp_path: Path) -> None:
    workspace = copy_run(trained, tmp_path)
    config = str(trained.root / 'config.py')

    assert workspace.train(config, '--resume', '--cfg-options', 'train_cfg.max_iters=6') == 0

    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [entry.iteration for entry in record.entries] == [2, 4, 6]
    assert [entry.run for entry in record.entries] == [0, 0, 1]
    assert record.runs[1]['first_iteration'] == 4
    before, after = (load_checkpoint_file(workspace.work_dir / f'iter_{iteration}.pth') for iteration in (4, 6))
    assert after['meta']['iter'] == 6
    momentum = [next(iter(c['optimizer']['state'].values()))['momentum_buffer'] for c in (before, after)]
    assert not torch.equal(*momentum)


def test_resuming_from_an_earlier_checkpoint_forgets_what_came_later(trained: Workspace, tmp_path: Path) -> None:
    workspace = copy_run(trained, tmp_path)
    checkpoint = str(workspace.work_dir / 'iter_2.pth')
    options = ['train_cfg.max_iters=3', 'train_cfg.val_interval=3']

    assert workspace.train(str(trained.root / 'config.py'), '--resume', checkpoint, '--cfg-options', *options) == 0

    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [(entry.iteration, entry.run) for entry in record.entries] == [(2, 0), (3, 1)]


def test_a_first_start_with_resume_has_the_configs_weights_and_a_later_one_goes_on(
    trained: Workspace, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    start = trained.work_dir / 'student.pth'
    options = [f'load_from={start}', 'optim_wrapper.optimizer.lr=0.0', 'train_cfg.val_interval=9']
    config = str(trained.root / 'config.py')

    assert workspace.train(config, '--resume', '--cfg-options', *options, 'train_cfg.max_iters=2') == 0

    expected, found = (load_checkpoint_file(path)['state_dict'] for path in (start, workspace.work_dir / 'student.pth'))
    learned = [name for name in expected if name.endswith(('.weight', '.bias'))]
    assert all(torch.equal(expected[name], found[name]) for name in learned)

    assert workspace.train(config, '--resume', '--cfg-options', *options, 'train_cfg.max_iters=3') == 0
    assert EvalRecord.read(workspace.work_dir / 'eval_record.json').runs[-1]['first_iteration'] == 2


def test_the_work_folder_defaults_to_the_configs_name(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from eakd_det.cli.arguments import parse_train_arguments
    from eakd_det.cli.config import load_config

    config = workspace.write(tiny_data.student_config(workspace.data), 'my_config.py')
    assert load_config(parse_train_arguments([config])).work_dir == './work_dirs/my_config'
    assert load_config(parse_train_arguments([config, '--work-dir', 'x'])).work_dir == 'x'
    assert load_config(parse_train_arguments([config, '--cfg-options', 'work_dir=y'])).work_dir == 'y'


def test_the_flags_of_mmdetection(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from eakd_det.cli import train as train_tool
    from eakd_det.cli.arguments import parse_train_arguments
    from eakd_det.cli.config import load_config
    from eakd_det.cli.resuming import set_resume

    monkeypatch.setattr(train_tool, 'get_device', lambda: 'cuda')
    config = workspace.write(tiny_data.student_config(workspace.data))
    args = parse_train_arguments([config, '--amp', '--auto-scale-lr', '--resume', 'a.pth', '--local-rank', '1'])
    cfg = load_config(args)
    train_tool._set_amp(cfg, args.amp)
    train_tool._set_auto_scale_lr(cfg, args.auto_scale_lr)
    set_resume(cfg, args.resume)
    assert (cfg.optim_wrapper.type, cfg.optim_wrapper.loss_scale) == ('AmpOptimWrapper', 'dynamic')
    assert cfg.auto_scale_lr.enable is True
    assert (cfg.resume, cfg.load_from) == (True, 'a.pth')
    assert parse_train_arguments([config, '--resume']).resume == 'auto'


def test_distilling_records_the_teacher_once_and_keeps_it_out_of_the_checkpoint(
    workspace: Workspace, teacher_ckpt: str
) -> None:
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=2)
    cfg.custom_hooks = [dict(type='eakd_det.ClassCheckHook'), dict(type='eakd_det.CocoEvalHook', teacher=True)]
    config = workspace.write(cfg)

    assert workspace.train(config) == 0
    assert workspace.train(config, '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0

    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [(entry.subject, entry.iteration) for entry in record.entries] == [
        ('teacher', None),
        ('student', 1),
        ('student', 2),
        ('student', 3),
    ]
    assert record.entries[0].checkpoint == teacher_ckpt
    scalars = sorted(workspace.work_dir.glob('*/vis_data/scalars.json'))
    logged = [json.loads(line) for path in scalars for line in path.read_text().splitlines()]
    readings = [line['distill.statistics_iter'] for line in logged if 'distill.statistics_iter' in line]
    assert readings == [1, 2, 3]  # the logger's interval is 1
    student = tiny.build(Config.fromfile(workspace.work_dir / 'student.py').model)
    assert load_detector_weights(student, workspace.work_dir / 'iter_3.pth').is_complete


def test_a_new_run_in_a_used_folder_keeps_the_old_record(trained: Workspace, tmp_path: Path) -> None:
    workspace = copy_run(trained, tmp_path)
    options = ['--cfg-options', 'train_cfg.max_iters=1', 'train_cfg.val_interval=1']
    assert workspace.train(str(trained.root / 'config.py'), *options) == 0

    assert [entry.iteration for entry in EvalRecord.read(workspace.work_dir / 'eval_record.json').entries] == [1]
    kept = list(workspace.work_dir.glob('eval_record.previous-*.json'))
    assert [entry.iteration for entry in EvalRecord.read(kept[0]).entries] == [2, 4]


def test_amp_without_a_gpu_is_one_line(workspace: Workspace, capsys: pytest.CaptureFixture) -> None:
    if torch.cuda.is_available():
        pytest.skip('this machine can do it')
    assert workspace.train(workspace.write(tiny_data.student_config(workspace.data)), '--amp') == 1
    assert '--amp (optim_wrapper.type=AmpOptimWrapper): expected a GPU' in one_error(capsys.readouterr())


def test_a_run_of_one_of_mmrazors_algorithms_is_resumed(workspace: Workspace, teacher_ckpt: str) -> None:
    """Its checkpoints hold student and teacher, under names with a prefix."""
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=1)
    source = dict(neck=dict(type='ModuleOutputs', source='neck.fpn_convs.0.conv'))
    cfg.model = dict(
        _scope_='mmrazor',
        type='SingleTeacherDistill',
        architecture=dict(cfg.model.architecture, _scope_='mmdet'),
        teacher=dict(cfg.model.teacher, _scope_='mmdet'),
        teacher_ckpt=teacher_ckpt,
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=source,
            teacher_recorders=source,
            distill_losses=dict(loss_neck=dict(type='L2Loss')),
            loss_forward_mappings=dict(
                loss_neck=dict(
                    s_feature=dict(recorder='neck', from_student=True),
                    t_feature=dict(recorder='neck', from_student=False),
                )
            ),
        ),
    )
    config = workspace.write(cfg)
    assert workspace.train(config) == 0
    assert workspace.train(config, '--resume', '--cfg-options', 'train_cfg.max_iters=2') == 0

    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [entry.iteration for entry in record.entries] == [1, 2]
    assert workspace.test(config, str(workspace.work_dir / 'iter_2.pth')) == 0
    assert load_detector_weights(
        tiny.build(Config.fromfile(workspace.work_dir / 'student.py').model), workspace.work_dir / 'iter_2.pth'
    ).is_complete

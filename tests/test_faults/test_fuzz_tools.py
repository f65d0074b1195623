"""A sample of faulty configs in ``tools/train.py``: exit status 1 and one line, or a complete run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error

Seen = Callable[[object], None]
Spoil = Callable[[Config, Workspace], Any]
ROOT = Path(__file__).parents[2]


def _set(key: str, value: Any) -> Spoil:
    def spoil(cfg: Config, workspace: Workspace) -> None:
        node = cfg._cfg_dict
        *path, last = key.split('.')
        for name in path:
            node = node[name]
        node[last] = value

    return spoil


def _annotations(change: Callable[[dict], Any]) -> Spoil:
    def spoil(cfg: Config, workspace: Workspace) -> None:
        content = tiny_data.read_annotations(workspace.data, 'train')
        change(content)
        tiny_data.write_annotations(workspace.data, 'train', content)

    return spoil


LOSS = 'model.distiller.distill_losses.loss_kd'
CASES: dict[str, tuple[Spoil, str]] = {
    'a text for a switch': (_set(f'{LOSS}.weighting.normalize', 'no'), 'loss_kd.weighting.normalize: expected True or'),
    'a text for a number': (_set(f'{LOSS}.tau', '4'), 'loss_kd.tau: expected a finite number > 0, '),
    'a loss without type': (_set(LOSS, dict(tau=1.0)), 'distill_losses.loss_kd: expected dict(type=..., ...)'),
    'a loss by a name that nothing minimises': (
        _set('model.distiller.distill_losses', dict(kd=dict(type='eakd_det.KDLoss'))),
        "expected names with 'loss' in them",
    ),
    'no loss': (_set('model.distiller.distill_losses', {}), 'expected at least one loss, but got none'),
    'a misspelt teacher option': (_set('model.teacher_options', dict(fuse_nrom=True)), "did you mean 'fuse_norm'?"),
    'a text for a teacher option': (
        _set('model.teacher_options', dict(free_unused='False')),
        "model.teacher_options.free_unused: expected True or False, but got 'False'",
    ),
    'a string as class map': (_set('model.class_map', 'square'), "model.class_map: expected a dict"),
    'a teacher that is no config': (_set('model.teacher', 'no/teacher.py'), 'there is no file'),
    'a policy that does not exist': (
        _set('custom_hooks', [dict(type='eakd_det.NonFiniteLossHook', policy='hope')]),
        "custom_hooks.0.policy: expected one of stop, skip, but got 'hope'",
    ),
    'an unknown argument of a hook': (
        _set('custom_hooks', [dict(type='eakd_det.TeacherPreflightHook', images=3)]),
        'custom_hooks.0.images: expected an argument among num_images, min_ap',
    ),
    'a misspelt data option': (
        lambda cfg, w: cfg.merge_from_dict(dict(train_an='x.json', val_ann='instances_val.json')),
        "image_scale; did you mean 'train_ann'?",
    ),
    'category names that are numbers': (
        _annotations(lambda d: [c.update(name=i) for i, c in enumerate(d['categories'])]),
        'has category names that are not strings: 0',
    ),
    'boxes without area': (
        _annotations(lambda d: [a.update(area=0) for a in d['annotations']]),
        'has boxes, but none with an area > 0',
    ),
    'a box of NaN': (_annotations(lambda d: d['annotations'][0].update(bbox=[float('nan')] * 4)), 'has bbox [nan, nan'),
    'iscrowd as text': (_annotations(lambda d: d['annotations'][0].update(iscrowd='0')), "has iscrowd '0'"),
}  # fmt: skip


@pytest.mark.fault('train.py with {case}', expected='status 1 and one line')
@pytest.mark.parametrize('case', CASES)
def test_refused(workspace: Workspace, teacher_ckpt: str, capsys: Any, seen: Seen, case: str) -> None:
    spoil, message = CASES[case]
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt)
    spoil(cfg, workspace)
    assert workspace.train(workspace.write(cfg)) == 1
    error = one_error(capsys.readouterr())
    assert message in error, error
    assert not list(workspace.work_dir.glob('*.pth'))
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault('--cfg-options data_root=... on a config with no other data option', expected='it takes effect')
def test_data_root_from_the_command_line(workspace: Workspace, tmp_path: Path, capsys: Any, seen: Seen) -> None:
    cfg = tiny_data.student_config(workspace.data, iters=1, data_root=str(workspace.data))
    config = workspace.write(cfg)
    moved = workspace.data.rename(tmp_path / 'elsewhere')
    flags = ('--cfg-options', 'train_cfg.val_interval=9', f'data_root={moved}')
    assert workspace.train(config, *flags) == 0
    run = Config.fromfile(str(workspace.work_dir / 'config.py'))
    assert run.train_dataloader.dataset.data_root == run.val_dataloader.dataset.data_root == str(moved)
    assert run.val_evaluator.ann_file == str(moved / 'instances_val.json')
    seen('data sets and evaluators read the new folder')


@pytest.mark.fault('the same, where no data set has the old data_root', expected='refused: it would have no effect')
def test_data_root_without_effect(workspace: Workspace, capsys: Any, seen: Seen) -> None:
    config = workspace.write(tiny_data.student_config(workspace.data))
    assert workspace.train(config, '--cfg-options', f'data_root={workspace.root}') == 1
    error = one_error(capsys.readouterr())
    assert 'data_root: expected data sets with data_root' in error
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.slow
@pytest.mark.fault('the script itself, with a COCO file cut off', expected='status 1, one line, no traceback')
def test_the_script(workspace: Workspace, teacher_ckpt: str, seen: Seen) -> None:
    config = workspace.write(tiny_data.distill_config(workspace.data, teacher_ckpt))
    file = tiny_data.annotation_file(workspace.data, 'train')
    file.write_text(json.dumps(tiny_data.read_annotations(workspace.data, 'train'))[:-9])
    command = [sys.executable, 'tools/train.py', config, '--work-dir', str(workspace.work_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr + done.stdout
    error = next(line for line in done.stderr.splitlines() if line.startswith('Error: '))
    assert 'is not valid JSON, or is truncated' in error
    seen(error.replace(str(workspace.root), '.'))

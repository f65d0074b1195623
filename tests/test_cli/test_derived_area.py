"""COCO files without ``area``: the tools take the box's, in a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from eakd_det.datasets import apply_data_options
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error


def drop_area(root: Path, split: str, **changes: Any) -> list[dict[str, Any]]:
    content = tiny_data.read_annotations(root, split)
    for annotation in content['annotations']:
        del annotation['area']
        annotation.update(changes)
    tiny_data.write_annotations(root, split, content)
    return content['annotations']


@pytest.mark.parametrize('options', [{}, dict(classes=tiny_data.CLASSES)])
def test_trains_and_measures(workspace: Workspace, options: dict[str, Any]) -> None:
    before = {split: drop_area(workspace.data, split) for split in ('train', 'val')}
    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.update({**options, **({'data_root': str(workspace.data)} if options else {})})
    assert workspace.train(workspace.write(cfg)) == 0
    saved = Config.fromfile(workspace.work_dir / 'config.py')
    for split, loader in (('train', saved.train_dataloader), ('val', saved.val_dataloader)):
        copy = Path(loader.dataset.ann_file)
        completed = json.loads(copy.read_text())['annotations']
        assert [item['area'] for item in completed] == [item['bbox'][2] * item['bbox'][3] for item in before[split]]
        assert tiny_data.read_annotations(workspace.data, split)['annotations'] == before[split]
    assert saved.val_evaluator.ann_file == saved.val_dataloader.dataset.ann_file


def test_a_box_that_has_none_is_an_error_of_the_box(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drop_area(workspace.data, 'train', bbox=[1, 2, 3])
    assert workspace.train(workspace.write(tiny_data.student_config(workspace.data, iters=1))) == 1
    error = one_error(capsys.readouterr())
    assert str(tiny_data.annotation_file(workspace.data, 'train')) in error


def test_files_with_area_and_configs_without_a_work_folder_stay(workspace: Workspace) -> None:
    cfg = tiny_data.student_config(workspace.data)
    drop_area(workspace.data, 'train')
    assert apply_data_options(cfg).to_dict() == cfg.to_dict()
    cfg.work_dir = str(workspace.work_dir)
    changed = apply_data_options(cfg)
    assert changed.train_dataloader.dataset.ann_file != cfg.train_dataloader.dataset.ann_file
    assert changed.val_dataloader.to_dict() == cfg.val_dataloader.to_dict()


def test_files_of_one_name_keep_apart(workspace: Workspace) -> None:
    cfg = tiny_data.student_config(workspace.data)
    cfg.work_dir = str(workspace.work_dir)
    for split in ('train', 'val'):
        drop_area(workspace.data, split)
        file = tiny_data.annotation_file(workspace.data, split)
        moved = workspace.data / split / 'labels' / 'labels.json'
        moved.parent.mkdir()
        file.rename(moved)
        cfg[f'{split}_dataloader'].dataset.ann_file = f'{split}/labels/labels.json'
    cfg.val_evaluator.ann_file = str(workspace.data / 'val/labels/labels.json')
    changed = apply_data_options(cfg)
    train, val = (Path(changed[f'{split}_dataloader'].dataset.ann_file) for split in ('train', 'val'))
    assert [len(json.loads(file.read_text())['images']) for file in (train, val)] == [4, 3]
    assert changed.val_evaluator.ann_file == str(val)

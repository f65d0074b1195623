"""A real detector labels photos, is stopped and continues, and a student trains on what it wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from eakd_det.cli import label_photos
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error


@pytest.fixture
def photos(workspace: Workspace) -> Path:
    """Five photos: three new ones in a folder, a labelled one, and a file that is no image."""
    made = tiny_data.make_coco(workspace.root / 'made', train=3, seed=5)
    folder = workspace.root / 'photos'
    shutil.copytree(made / 'train', folder / 'inner')
    shutil.copy(workspace.data / 'train' / '1.png', folder / 'known.png')
    (folder / 'web.jpg').write_text('<html>')
    return folder


def label(workspace: Workspace, photos: Path, checkpoint: str, *flags: str) -> int:
    config = workspace.write(tiny_data.student_config(workspace.data))
    out = str(workspace.root / 'labels.json')
    return label_photos.main([config, str(photos), '--checkpoint', checkpoint, '--out', out, '--score', '0', *flags])


def test_labels_then_trains(workspace: Workspace, photos: Path, teacher_ckpt: str, capsys: pytest.CaptureFixture):
    assert label(workspace, photos, teacher_ckpt) == 0
    printed = capsys.readouterr().out
    assert '1 of 5 photos are in the training data with labels: left out' in printed
    assert '1 photos cannot be read and are left out; the first is' in printed
    content = json.loads((workspace.root / 'labels.json').read_text())
    assert [image['file_name'] for image in content['images']] == ['inner/1.png', 'inner/2.png', 'inner/3.png']
    assert [category['name'] for category in content['categories']] == list(tiny_data.CLASSES)
    assert content['info']['teacher']['checkpoint'] == Path(teacher_ckpt).name
    assert all(item['bbox'][0] >= 0 and item['bbox'][0] + item['bbox'][2] <= 80.01 for item in content['annotations'])

    cfg = tiny_data.student_config(workspace.data, iters=2)
    cfg.teacher_labels, cfg.teacher_images = str(workspace.root / 'labels.json'), str(photos)
    cfg.teacher_share = 0.3
    assert workspace.train(workspace.write(cfg)) == 0


def test_continues_where_it_was_stopped(
    workspace: Workspace, photos: Path, teacher_ckpt: str, monkeypatch: pytest.MonkeyPatch
):
    assert label(workspace, photos, teacher_ckpt) == 0
    whole = (workspace.root / 'labels.json').read_bytes()
    kept = workspace.root / 'labels.json.detections'
    lines = kept.read_text().split('\n')
    kept.write_text('\n'.join(lines[:2]) + '\n' + lines[2][:20])  # killed in the middle of a line
    ran = []
    detect = label_photos._detect_one
    monkeypatch.setattr(label_photos, '_detect_one', lambda *args: ran.append(args[2]) or detect(*args))
    assert label(workspace, photos, teacher_ckpt) == 0
    assert ran == ['inner/2.png', 'inner/3.png', 'web.jpg']
    assert (workspace.root / 'labels.json').read_bytes() == whole


def test_other_weights_begin_again(workspace: Workspace, photos: Path, teacher_ckpt: str):
    assert label(workspace, photos, teacher_ckpt) == 0
    kept = workspace.root / 'labels.json.detections'
    head, *rest = kept.read_text().split('\n')
    kept.write_text('\n'.join([head.replace('weights', 'others'), *rest]))
    assert label(workspace, photos, teacher_ckpt) == 0
    assert kept.read_text().split('\n')[0] == head


def test_photos_to_validate_with_are_left_out(
    workspace: Workspace, photos: Path, teacher_ckpt: str, capsys: pytest.CaptureFixture
):
    shutil.copy(workspace.data / 'val' / '2.png', photos / 'renamed.png')
    assert label(workspace, photos, teacher_ckpt) == 0
    shown = capsys.readouterr().out
    assert 'Warning: 1 of 6 photos are in the validation or test data: left out; the first is' in shown
    assert 'renamed.png' not in (workspace.root / 'labels.json').read_text()


@pytest.mark.parametrize(
    ('folder', 'message'),
    [
        ('nowhere', 'there is no folder nowhere'),
        ('empty', 'but found none'),
        ('data/train', 'but all 4 are in the training'),
    ],
)
def test_nothing_to_label(
    workspace: Workspace,
    teacher_ckpt: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    message: str,
):
    monkeypatch.chdir(workspace.root)
    Path('empty').mkdir()
    assert label(workspace, Path(folder), teacher_ckpt) == 1
    assert message in one_error(capsys.readouterr())

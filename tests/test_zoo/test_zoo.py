"""The models of the zoo: files, cards, hashes, and loading by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmdet.apis import inference_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.runner.checkpoint import load_state_dict

from eakd_det.checkpoint import load_checkpoint_file, zoo_index
from eakd_det.errors import ConfigError
from eakd_det.lab.demo.plan import PACKAGED_TEACHER
from eakd_det.paths import package_root
from eakd_det.zoo import load_detector, zoo_entries, zoo_entry

ROOT = Path(__file__).parents[2]
NAMES = tuple(zoo_entries())


@pytest.mark.parametrize('name', NAMES)
def test_a_model_is_complete(name):
    entry = zoo_entry(name)
    path = entry.checked(entry.path)
    card = (ROOT / 'zoo' / name / 'README.md').read_text()
    assert path.stat().st_size <= 5e6
    assert entry.config.is_file()
    assert entry.sha256 in card
    assert f'**{entry.metrics["box AP"]:.1f}**' in card
    assert 'Licence' in entry.metadata
    assert '| licence |' in card


def test_the_demo_names_a_model_that_travels_with_the_package():
    assert PACKAGED_TEACHER == 'zoo://demo-teacher'
    assert not zoo_entry('demo-teacher').is_remote


@pytest.mark.parametrize('name', NAMES)
def test_a_detector_is_loaded_by_its_name(name):
    detector = load_detector(name)
    assert not detector.training
    classes = detector.dataset_meta['classes']
    assert (classes == tuple('0123456789')) == name.startswith('demo')
    assert detector.roi_head.bbox_head.num_classes == len(classes)
    found = inference_detector(detector, torch.zeros(128, 128, 3).byte().numpy()).pred_instances
    assert torch.isfinite(found.scores).all()


def test_an_unknown_name_is_one_line_with_the_known_ones():
    with pytest.raises(
        ConfigError, match=r'^model.teacher_ckpt: expected a model of the zoo \(demo-teacher.*, but got zoo://x$'
    ):
        load_checkpoint_file('zoo://x', 'model.teacher_ckpt')


def test_another_file_in_its_place_is_refused(tmp_path, monkeypatch):
    for name in ('zoo/metafile.yml', 'model-index.yml'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(package_root() / name, tmp_path / name)
    monkeypatch.setattr(zoo_index, 'package_root', lambda: tmp_path)
    with pytest.raises(ConfigError, match=r'the weights of zoo://demo-teacher in .* no file'):
        load_checkpoint_file('zoo://demo-teacher')
    path = tmp_path / 'zoo/demo-teacher/model.safetensors'
    path.parent.mkdir()
    path.write_bytes(b'another')
    with pytest.raises(ConfigError, match='to have the sha256 '):
        load_checkpoint_file('zoo://demo-teacher')


def test_the_small_teacher_for_own_data_starts_with_the_packaged_weights():
    """All layers but those of the classes, and the pyramid's biases, which the demo's has in its BatchNorm."""
    cfg = Config.fromfile(ROOT / 'configs/custom_small/teacher_faster-rcnn_r18w32_fpn_custom-small.py')
    cfg.model.roi_head.bbox_head.num_classes = 3
    detector = MODELS.build(cfg.model)
    packaged = load_checkpoint_file(cfg.load_from)['state_dict']
    load_state_dict(detector, packaged)
    own = detector.state_dict()
    other = [key for key in own if key not in packaged or not torch.equal(own[key], packaged[key])]
    assert {key.rpartition('.')[0].rpartition('_')[0] for key in other if 'neck' not in key} == {
        'roi_head.bbox_head.fc'
    }
    assert all(key.endswith('conv.bias') for key in other if 'neck' in key)

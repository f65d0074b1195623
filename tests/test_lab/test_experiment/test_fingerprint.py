from __future__ import annotations

import shutil

import pytest
from mmengine.config import Config

from eakd_det.lab.experiment import fingerprint as module
from eakd_det.lab.experiment.fingerprint import fingerprint
from tests import tiny_data


@pytest.fixture
def folder(tmp_path):
    tiny_data.make_coco(tmp_path / 'one' / 'data')
    (tmp_path / 'one' / 'teacher.pth').write_bytes(b'weights')
    return tmp_path / 'one'


def cfg_of(folder) -> Config:
    cfg = tiny_data.distill_config(folder / 'data', str(folder / 'teacher.pth'))
    cfg.work_dir = str(folder / 'work')
    return cfg


def test_a_moved_folder_is_the_same(folder, tmp_path):
    before = fingerprint(cfg_of(folder))
    shutil.copytree(folder, tmp_path / 'two')
    assert fingerprint(cfg_of(tmp_path / 'two')) == before


@pytest.mark.parametrize('what', ['setting', 'seed', 'train', 'val', 'teacher', 'version', 'input'])
def test_whatever_the_result_depends_on_counts(folder, what, monkeypatch):
    extra = folder / 'extra'
    extra.write_text('1')
    before = fingerprint(cfg_of(folder), [extra])
    cfg = cfg_of(folder)
    if what == 'setting':
        cfg.optim_wrapper.optimizer.lr = 0.5
    elif what == 'seed':
        cfg.randomness.seed = 1
    elif what == 'teacher':
        (folder / 'teacher.pth').write_bytes(b'other weights')
    elif what == 'version':
        monkeypatch.setattr(module, '__version__', '99')
    elif what == 'input':
        extra.write_text('22')
    else:
        content = tiny_data.read_annotations(folder / 'data', what)
        content['annotations'].pop()
        tiny_data.write_annotations(folder / 'data', what, content)
    assert fingerprint(cfg, [extra]) != before

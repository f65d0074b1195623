from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from eakd_det.checkpoint import load_detector_weights
from tests import tiny, tiny_data


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data')


@pytest.fixture(autouse=True)
def one_thread() -> None:
    MMLogger._instance_dict.clear()
    torch.set_num_threads(1)


def runner(data: Path, work_dir: Path, iters: int, **checkpoint: object) -> Runner:
    """Build MMEngine's runner with the hooks and without validation."""
    cfg = tiny_data.student_config(data, iters=iters)
    for name in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg[name] = None
    cfg.default_hooks.checkpoint = dict(type='eakd_det.SafeCheckpointHook', by_epoch=False, interval=1, **checkpoint)
    cfg.custom_hooks = [dict(type='eakd_det.ExactResumeHook')]
    cfg.work_dir = str(work_dir)
    return Runner.from_cfg(cfg)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob('*.pth'))


def test_mmengine_options_apply(data: Path, tmp_path: Path) -> None:
    """Cover out_dir, filename_tmpl, max_keep_ckpts, save_optimizer and published_keys."""
    options = dict(out_dir=str(tmp_path / 'out'), filename_tmpl='step_{}.pth', max_keep_ckpts=2, save_optimizer=False)
    runner(data, tmp_path / 'work', 3, published_keys=['meta', 'state_dict'], **options).train()

    assert (tmp_path / 'work' / 'last_checkpoint').read_text() == str(tmp_path / 'out' / 'work' / 'step_3.pth')
    assert 'optimizer' not in torch.load(tmp_path / 'out' / 'work' / 'step_3.pth', weights_only=True)
    published = next(path for path in (tmp_path / 'out' / 'work').glob('step_3-*.pth'))
    assert names(published.parent) == ['step_2.pth', published.name, 'step_3.pth']
    assert set(torch.load(published, weights_only=True)) == {'meta', 'state_dict'}
    assert load_detector_weights(tiny.build(tiny.faster_rcnn()), tmp_path / 'out' / 'work' / 'step_3.pth').is_complete


def test_resuming_a_copied_run_leaves_the_original_alone(data: Path, tmp_path: Path) -> None:
    runner(data, tmp_path / 'one', 2, max_keep_ckpts=2).train()
    shutil.copytree(tmp_path / 'one', tmp_path / 'two')
    again = runner(data, tmp_path / 'two', 4, max_keep_ckpts=2)
    again._load_from, again._resume = str(tmp_path / 'two' / 'iter_2.pth'), True
    again.train()
    assert names(tmp_path / 'one') == ['iter_1.pth', 'iter_2.pth', 'student.pth']
    assert names(tmp_path / 'two') == ['iter_3.pth', 'iter_4.pth', 'student.pth']

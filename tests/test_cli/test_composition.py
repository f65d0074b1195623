"""A pair and a method make a config: on the command line, saved, and by the names that arms had as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.cli.arguments import parse_train_arguments
from eakd_det.cli.config import load_config, read_config
from eakd_det.errors import ConfigError
from eakd_det.paths import configs_dir
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error

PAIR = str(configs_dir() / 'pairs' / 'r18w32-r18w16_demo.py')


def test_the_losses_are_the_methods_with_the_widths_of_the_pair() -> None:
    (loss,) = read_config(f'{PAIR}+ea-review-kd').model.distiller.distill_losses.values()
    assert (loss.type, loss.loss_weight, loss.weighting.tau) == ('eakd_det.ReviewKDLoss', 1.2, 3.0)
    assert (loss.student_channels, loss.teacher_channels, loss.mid_channels, loss.num_levels) == (32, 64, 64, 4)


def test_options_of_a_part_are_set_where_the_method_has_them() -> None:
    pair = str(configs_dir() / 'pairs' / 'gfl-r101-r18_coco.py')
    weighting = {
        method: read_config(f'{pair}+{method}').model.distiller.distill_losses.loss_kd.weighting.to_dict()
        for method in ('kd', 'ea-kd')
    }
    assert weighting['kd'] == dict(type='eakd_det.UniformWeighting')
    assert weighting['ea-kd'] == dict(type='eakd_det.EntropyWeighting', tau=1.0)


def test_the_rest_is_the_pairs() -> None:
    composed, pair = read_config(f'{PAIR}+kd').to_dict(), read_config(PAIR).to_dict()
    del composed['model']['distiller'], pair['model']['distiller']
    assert composed == pair
    assert not {'distiller', 'loss_options'} & set(composed)


@pytest.mark.parametrize(
    ('name', 'pair'),
    [
        ('demo/ctkd-ls_faster-rcnn_r18w32-r18w16_fpn_demo', 'r18w32-r18w16_demo.py+ctkd-ls'),
        ('custom/dkd_faster-rcnn_r50-mv2_fpn_custom', 'r50-mv2_custom.py+dkd'),
        ('custom/ea-kd_faster-rcnn_r50-mv2_fpn_custom', 'r50-mv2_custom.py+ea-kd'),
        ('custom_small/kd_faster-rcnn_r18w32-r18w16_fpn_custom-small', 'r18w32-r18w16_custom-small.py+kd'),
        ('bccd/kd-matched_faster-rcnn_mv2-r18w16_fpn_bccd', 'mv2-r18w16_bccd.py+kd-matched'),
        ('r101_r18/ea-fcfd_faster-rcnn_r101-r18_fpn_ms-1x_coco', 'r101-r18_coco.py+ea-fcfd'),
        ('r101_r18/ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco', 'r101-caffe-r18_coco.py+ea-kd'),
        ('r50_mv2/dkd-review-kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco', 'r50-mv2_coco.py+dkd-review-kd'),
    ],
)
def test_an_arms_former_or_own_file_is_the_pair_with_the_method(name: str, pair: str) -> None:
    former = str(configs_dir() / f'{name}.py')
    assert read_config(former).to_dict() == read_config(str(configs_dir() / 'pairs' / pair)).to_dict()
    assert load_config(parse_train_arguments([former])).work_dir == f'./work_dirs/{Path(name).name}'


def test_the_work_folder_has_the_name_of_both() -> None:
    assert load_config(parse_train_arguments([f'{PAIR}+ea-kd'])).work_dir == './work_dirs/ea-kd_r18w32-r18w16_demo'


def test_a_method_of_ones_own_brings_its_imports(tmp_path: Path) -> None:
    (tmp_path / 'mine.py').write_text(
        "custom_imports = dict(imports=['json'])\ndistiller = dict(distill_losses=dict(loss_mine=dict(type='Mine')))\n"
    )
    cfg = read_config(f'{PAIR}+{tmp_path / "mine.py"}')
    assert cfg.custom_imports == dict(imports=['json'])
    assert cfg.model.distiller.distill_losses == dict(loss_mine=dict(type='Mine'))


def test_a_method_takes_the_place_of_an_arms_losses() -> None:
    arm = str(configs_dir() / 'demo' / 'ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py')
    assert list(read_config(f'{arm}+dkd').model.distiller.distill_losses) == ['loss_dkd']


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (f'{PAIR}+eakd', "did you mean 'ea-kd'?"),
        (f'{PAIR}+nowhere/kd.py', 'does not exist'),
        (f'{PAIR}+{PAIR}', 'expected a method'),
        (f'{configs_dir()}/demo/student_faster-rcnn_r18w16_fpn_demo.py+kd', 'expected a pair'),
        (f'{configs_dir()}/demo/kkd_faster-rcnn_r18w32-r18w16_fpn_demo.py', 'does not exist'),
        (f'{configs_dir()}/pairs/r9-r18_coco.py+kd', 'does not exist'),
    ],
)
def test_what_does_not_compose(config: str, expected: str) -> None:
    with pytest.raises(ConfigError, match='config: ') as error:
        read_config(config)
    assert expected in str(error.value)
    assert '\n' not in str(error.value)


def test_the_config_in_the_work_folder_trains_by_itself(
    workspace: Workspace, teacher_ckpt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt)
    del cfg.model.distiller['distill_losses']
    pair = workspace.write(cfg, 'pair.py')
    assert workspace.train(pair) == 1
    assert 'distill_losses' in one_error(capsys.readouterr())
    assert workspace.train(f'{pair}+ea-kd') == 0
    saved = workspace.work_dir / 'ea-kd_pair.py'
    Path(pair).unlink()
    assert list(Config.fromfile(saved).model.distiller.distill_losses) == ['loss_kd']
    moved = str(saved.rename(workspace.root / 'saved.py'))
    assert workspace.train(moved) == 0

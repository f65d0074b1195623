"""Distil the smallest config of each folder that ships with MMDetection for three steps, and record which of them work.

python tools/analysis_tools/detector_families.py --out docs/records/families.json
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import logging
import signal
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
importlib.import_module('eakd_det')  # gives mmcv its ops, before MMDetection asks for them

import mmdet  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.structures.mask import BitmapMasks  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.logging import MessageHub, MMLogger  # noqa: E402
from mmengine.optim import OptimWrapper  # noqa: E402
from mmengine.structures import InstanceData, PixelData  # noqa: E402
from torch import nn  # noqa: E402

from eakd_det.building import build_model  # noqa: E402
from eakd_det.errors import ConfigError  # noqa: E402
from eakd_det.files import write_json  # noqa: E402
from eakd_det.models.model_config import build_detector  # noqa: E402
from eakd_det.sites import num_classes  # noqa: E402

CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'
SMALL = ('tiny', 'nano', 'r18', 'mobilenetv2', '-s_', 'swin-t', 'r50')  # the earlier, the smaller
CHOSEN = {
    'cascade_rpn': 'cascade-rpn_faster-rcnn_r50-caffe_fpn_1x_coco.py',  # MMDetection does not build the smaller one
    'dcn': 'faster-rcnn_r50-dconv-c3-c5_fpn_1x_coco.py',  # the smaller one has deformable pooling instead
    'dcnv2': 'faster-rcnn_r50-mdconv-c3-c5_fpn_1x_coco.py',
    'detectors': 'detectors_cascade-rcnn_r50_1x_coco.py',
    'hrnet': 'faster-rcnn_hrnetv2p-w18-1x_coco.py',  # the smallest by name are Hybrid Task Cascades
    'htc': 'htc-without-semantic_r50_fpn_1x_coco.py',
    'res2net': 'faster-rcnn_res2net-101_fpn_2x_coco.py',
    'convnext': 'mask-rcnn_convnext-t-p4-w7_fpn_amp-ms-crop-3x_coco.py',  # the backbones of another package
    'timm_example': 'retinanet_timm-tv-resnet50_fpn_1x_coco.py',
}
NOT_APPLICABLE = {
    'holds data and schedules': ('common',),
    'trains models of Detectron2': ('misc',),
    'tracks objects; its detector is trained by itself': (
        *('bytetrack', 'deepsort', 'masktrack_rcnn', 'ocsort', 'qdtrack', 'reid', 'sort', 'strongsort'),
    ),
    'segments without class scores of boxes': ('mask2former', 'mask2former_vis', 'maskformer', 'solo', 'solov2'),
    'scores words of a text': ('glip', 'grounding_dino', 'mm_grounding_dino'),
    'trains a detector on images without boxes, by a teacher of its own': ('soft_teacher',),
}
NEEDED_PACKAGES = {'boxinst': ('skimage',), 'convnext': ('mmpretrain',), 'timm_example': ('mmpretrain', 'timm')}
CLASSES, SIZE, SECONDS = 3, 320, 240
SIZES = {'centripetalnet': 64, 'cornernet': 64}  # two hourglasses, and heads of 256 channels at a stride of 4
PROPOSALS = 64  # sampled from an image; a Trident samples them in each of three branches
EA_KD = dict(type='eakd_det.KDLoss', reduction='objects', weighting=dict(type='eakd_det.EntropyWeighting', tau=1.0))


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'families',
        nargs='*',
        help='folders of configs; all of them by default. Rows of others stay as they are in the record',
    )
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    return parser.parse_args(argv)


def config_of(family: str) -> Path | None:
    """Return the smallest config of a folder that has a model, by its name; None if there is none."""
    if family in CHOSEN:
        return CONFIGS / family / CHOSEN[family]
    size = {path: next((i for i, word in enumerate(SMALL) if word in path.name), len(SMALL)) for path in paths(family)}
    return next(
        (path for path in sorted(size, key=lambda path: (size[path], len(path.name), path.name)) if _has_model(path)),
        None,
    )


def paths(family: str) -> list[Path]:
    """Return the configs of a folder."""
    return sorted((CONFIGS / family).glob('*.py'))


def _has_model(path: Path) -> bool:
    try:
        return 'type' in (Config.fromfile(path).get('model') or {})
    except Exception:  # a config for another package, or one that only others inherit from
        return False


def tiny_model(path: Path) -> Config:
    """Return the model of a config with three classes and without weights from elsewhere."""
    model = Config.fromfile(path).model
    if isinstance(model.get('teacher_config'), str):
        model.teacher_config = dict(model=tiny_model(CONFIGS.parent / model.teacher_config))

    def shrink(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get('num_classes'), int) and node['num_classes'] > 1:
                node['num_classes'] = CLASSES
            for key in ('init_cfg', 'teacher_ckpt', 'batch_augments', 'pretrained'):
                node.pop(key, None)
            if node.get('type') == 'RandomSampler':
                node['num'] = min(node['num'], PROPOSALS)
            if node.get('type') in ('SyncBN', 'MMSyncBN'):  # they need a process group
                node['type'] = 'BN'
            for value in node.values():
                shrink(value)
        elif isinstance(node, (list, tuple)):
            for value in node:
                shrink(value)

    shrink(model)
    return model


def batch(seed: int, masks: bool, classes: int = CLASSES, size: int = SIZE) -> dict[str, Any]:
    """Return two random images with boxes, and masks if a detector learns them: an assigner may read what is there.

    There are proposals and a map of segments for the detectors that read them.
    """
    rng = np.random.default_rng(seed)
    inputs, samples = [], []
    for _ in range(2):
        corners = rng.uniform(0, size / 2, (3, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(size / 8, size / 2, (3, 2))], axis=1)
        shape = (size, size)
        sample = DetDataSample(metainfo=dict(img_shape=shape, ori_shape=shape, scale_factor=(1.0, 1.0), img_id=0))
        sample.gt_instances = InstanceData(
            bboxes=torch.from_numpy(boxes).float(),
            labels=torch.from_numpy(rng.integers(0, classes, 3)),
        )
        sample.proposals = InstanceData(bboxes=sample.gt_instances.bboxes + 4, scores=torch.ones(3))
        sample.gt_sem_seg = PixelData(sem_seg=torch.from_numpy(rng.integers(0, classes, (1, *shape))))
        if masks:
            sample.gt_instances.masks = BitmapMasks(_filled(boxes.astype(int), size), *shape)
        sample.ignored_instances = sample.gt_instances[:0]
        inputs.append(torch.from_numpy(rng.integers(0, 256, (3, *shape), dtype=np.uint8)))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def _filled(boxes: np.ndarray, size: int) -> np.ndarray:
    masks = np.zeros((len(boxes), size, size), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = 1
    return masks


def distil(student: nn.Module, teacher: nn.Module, size: int = SIZE) -> None:
    """Train three steps on images of ``size`` pixels.

    Raises:
        ConfigError: If the detectors are refused.
        RuntimeError: If a loss is not finite, or nothing is distilled.
    """
    distiller = dict(type='eakd_det.ProposalDistiller', distill_losses=dict(loss_kd=EA_KD))
    model = build_model(
        dict(type='eakd_det.ProposalDistill', architecture=student, teacher=teacher, distiller=distiller)
    )
    optimizer = torch.optim.SGD((p for p in student.parameters() if p.requires_grad), lr=1e-5)
    wrapper = OptimWrapper(optimizer, clip_grad=dict(max_norm=1.0))
    for step in range(3):
        MessageHub.get_current_instance().update_info('iter', step)  # as a runner does; BoxInst warms up by it
        logged = model.train().train_step(
            batch(step, bool(student.with_mask), num_classes(student) or CLASSES, size), wrapper
        )
        values = {key: float(value) for key, value in logged.items() if 'loss' in key}
        if not all(np.isfinite(value) for value in values.values()) or not values['distill.loss_kd'] > 0:
            raise RuntimeError(f'a loss is not finite, or nothing is distilled: {values}')


def examine(family: str) -> dict[str, Any] | None:
    """Return what becomes of one folder; None if it has no config with a model."""
    reason = next((reason for reason, families in NOT_APPLICABLE.items() if family in families), None)
    if reason is not None:
        return dict(family=family, config='', detector='', head='', ops=[], result='not applicable', reason=reason)
    path = config_of(family)
    if path is None:
        return None
    missing = [name for name in NEEDED_PACKAGES.get(family, ()) if importlib.util.find_spec(name) is None]
    if missing:
        reason = f'needs {" and ".join(missing)}, not installed where this table was made'
        return dict(family=family, config=path.name, detector='', head='', ops=[], result='not run', reason=reason)
    found = dict(family=family, config=path.name, detector='', head='', ops=[], result='not built', reason='')
    try:
        with _limit(SECONDS):
            model = tiny_model(path)
            found['detector'] = model.type if isinstance(model.type, str) else model.type.__name__
            torch.manual_seed(0)
            student, teacher = (build_detector(copy.deepcopy(model), 'model') for _ in range(2))
            for module in (*student.modules(), *teacher.modules()):
                _replace_pretrained(module)
            found.update(result='failed', head=_head(student), ops=_ops(student))
            distil(student, teacher, SIZES.get(family, SIZE))
            found['result'] = 'works'
    except ConfigError as error:
        found.update(result='refused' if found['head'] else 'not built', reason=str(error))
    except Exception as error:  # whatever it is, it is what the table is about
        lines = str(error).strip().splitlines()
        found['reason'] = f'{type(error).__name__}: {" ".join(lines[0].split()) if lines else ""}'
    return found


def _replace_pretrained(module: nn.Module) -> None:
    """Set weights that MMDetection leaves to a checkpoint."""
    if type(module).__name__ == 'TridentConv':
        nn.init.kaiming_normal_(module.get_parameter('weight'))
    if type(module).__name__ in ('ConvAWS2d', 'SAConv2d'):  # standardised, whatever the number of inputs
        fan_in = module.get_parameter('weight')[0].numel()
        module.get_buffer('weight_gamma').fill_((2 / fan_in) ** 0.5)


def _head(detector: nn.Module) -> str:
    roi_head = getattr(detector, 'roi_head', None)
    head = roi_head if roi_head is not None else getattr(detector, 'bbox_head', None)
    return type(head).__name__ if head is not None else '-'


def _ops(detector: nn.Module) -> list[str]:
    """Return the names of the modules of ``mmcv.ops`` in it."""
    names = {type(module).__name__ for module in detector.modules() if type(module).__module__.startswith('mmcv.ops')}
    return sorted(names)


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TimeoutError(f'took more than {seconds} s')

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def table(rows: list[dict[str, Any]]) -> str:
    """Return a row of Markdown for each family."""
    lines = ['| configs | detector, head | ops of mmcv | result |', '| --- | --- | --- | --- |']
    for row in rows:
        reason = '' if row['result'] == 'works' else f': {textwrap.shorten(row["reason"], 160)}'.replace('|', '\\|')
        cells = f'{row["detector"]}, {row["head"]}', ', '.join(row['ops']) or '-', row['result'] + reason
        lines.append(f'| `{row["family"]}/{row["config"]}` | {" | ".join(cells)} |')
    counts = Counter(row['result'] for row in rows)
    return '\n'.join([*lines, '', ', '.join(f'{count} {result}' for result, count in counts.most_common()) + '.'])


def write_record(path: Path, rows: list[dict[str, Any]]) -> None:
    """Put ``rows`` into the record, in the place of those of the same families."""
    kept = json.loads(path.read_text())['rows'] if path.is_file() else []
    done = {row['family'] for row in rows}
    rows = sorted([*(row for row in kept if row['family'] not in done), *rows], key=lambda row: row['family'])
    command = 'python tools/analysis_tools/detector_families.py --out docs/records/families.json'
    write_json(path, dict(command=command, torch=torch.__version__, rows=rows, table=table(rows)))


def main(argv: list[str] | None = None) -> int:
    """Examine the families, print the table, and write the record after each."""
    args = parse_args(argv)
    MMLogger.get_instance('mmengine').setLevel(logging.ERROR)
    warnings.simplefilter('ignore')
    MessageHub.get_instance('families').update_info('epoch', 0)  # TOOD reads it
    folders = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir() and path.name != '_base_')
    rows = []
    for family in args.families or folders:
        row = examine(family)
        if row is not None:
            rows.append(row)
            print(f'{family}: {row["result"]} {row["reason"]}', file=sys.stderr, flush=True)
            if args.out:
                write_record(args.out, rows)
    print(table(rows))
    return 0


if __name__ == '__main__':
    sys.exit(main())

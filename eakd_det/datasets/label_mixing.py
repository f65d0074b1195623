"""Mix labelled images with photos labelled by a teacher in a given proportion."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from eakd_det.arguments import Fraction, require
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.datasets.dataset_configs import annotation_path
from eakd_det.errors import ConfigError

OPTIONS = ('teacher_labels', 'teacher_images', 'teacher_share')


def mix_teacher_labels(cfg: Config) -> None:
    """Add the photos of ``teacher_labels`` to the training data of ``cfg``, in place.

    ========================  ==============================================================================
    key                       meaning
    ========================  ==============================================================================
    ``teacher_labels``        annotation file written by ``tools/label_photos.py``
    ``teacher_images``        folder of its photos
    ``teacher_share``         fraction of these photos in the training data, between 0 and 1, approximated by
                              repeating the labelled images. By default no image is repeated
    ========================  ==============================================================================

    Raises:
        ConfigError: If a key is missing or invalid, or the training data consists of several data sets.
    """
    labels, images, share = (cfg.get(key) for key in OPTIONS)
    if labels is None:
        given = [key for key in OPTIONS if cfg.get(key) is not None]
        if given:
            raise ConfigError(f'{given[0]}: expected teacher_labels to be set as well, but got none')
        return
    for key, value, exists, expected in (
        ('teacher_labels', labels, Path.is_file, 'a file written by tools/label_photos.py'),
        ('teacher_images', images, Path.is_dir, 'the folder of the labelled photos'),
    ):
        if not isinstance(value, str) or not exists(Path(value)):
            raise ConfigError(f'{key}: expected {expected}, but got {value!r}')
    labelled = cfg.train_dataloader.dataset
    if 'ann_file' not in labelled:
        raise ConfigError(
            f'teacher_labels: expected train_dataloader.dataset to be one COCO data set, but got {labelled.get("type")}'
        )
    photos = copy.deepcopy(labelled)
    photos.update(data_root='', ann_file=labels, data_prefix=dict(img=images))
    counts = [_count(dataset) for dataset in (labelled, photos)]
    times = _repeats(counts[0], counts[1], share)
    if times > 1:
        labelled = dict(type='RepeatDataset', times=times, dataset=labelled)
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[labelled, photos])
    print_log(
        f'Training data: {counts[0]} labelled images, {times} times each, and {counts[1]} photos labelled by the '
        f'teacher ({counts[1] / (counts[0] * times + counts[1]):.0%} of the data)',
        logger='current',
    )


def separate_teacher_labels(cfg: Config) -> None:
    """Undo :func:`mix_teacher_labels`, in place, so that the options of a config that was saved with both data sets
    can be applied again.
    """
    dataset: Any = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    if cfg.get('teacher_labels') is None or dataset.get('type') != 'ConcatDataset':
        return
    labelled, *photos = dataset.datasets
    if [other.get('ann_file') for other in photos] == [cfg.teacher_labels]:
        cfg.train_dataloader.dataset = labelled.dataset if labelled.type == 'RepeatDataset' else labelled


def _count(dataset: dict[str, Any]) -> int:
    path = annotation_path(dataset)
    return len(read_annotation_summary(path).file_names) if path.is_file() else 1  # missing files are reported later


def _repeats(labelled: int, photos: int, share: Any) -> int:
    """Return the number of repetitions of the labelled images, at least 1.

    Example:
        >>> _repeats(60, 240, None), _repeats(60, 240, 0.5), _repeats(240, 60, 0.5)
        (1, 4, 1)
    """
    if share is None:
        return 1
    share = require('teacher_share', share, Fraction)
    return max(round(photos * (1 - share) / (share * labelled)), 1)

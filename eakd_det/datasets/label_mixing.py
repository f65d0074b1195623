"""Training on labelled images and on photos that a teacher labelled, in stated shares."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from eakd_det.arguments import Fraction, require
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.errors import ConfigError

OPTIONS = ('teacher_labels', 'teacher_images', 'teacher_share')


def mix_teacher_labels(cfg: Config) -> None:
    """Add the photos of ``teacher_labels`` to the training data of ``cfg``, in place.

    ========================  ==============================================================================
    key                       meaning
    ========================  ==============================================================================
    ``teacher_labels``        annotation file that ``tools/label_photos.py`` wrote
    ``teacher_images``        folder of its photos
    ``teacher_share``         share of these photos among all that are trained on, between 0 and 1: the labelled
                              images are repeated as often as comes nearest to it. Left out, none is repeated
    ========================  ==============================================================================

    Raises:
        ConfigError: If a key is missing or wrong, or the training data is not one data set.
    """
    labels, images, share = (cfg.get(key) for key in OPTIONS)
    if labels is None:
        given = [key for key in OPTIONS if cfg.get(key) is not None]
        if given:
            raise ConfigError(f'{given[0]}: expected teacher_labels beside it, but got none')
        return
    for key, value, is_there in (('teacher_labels', labels, Path.is_file), ('teacher_images', images, Path.is_dir)):
        if not isinstance(value, str) or not is_there(Path(value)):
            raise ConfigError(f'{key}: expected what tools/label_photos.py wrote or read, but got {value!r}')
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
        f'teacher: {counts[1] / (counts[0] * times + counts[1]):.0%} of what is trained on',
        logger='current',
    )


def _count(dataset: dict[str, Any]) -> int:
    path = Path(dataset.get('data_root') or '') / dataset['ann_file']
    return len(read_annotation_summary(path).file_names) if path.is_file() else 1  # a missing file is named later


def _repeats(labelled: int, photos: int, share: Any) -> int:
    """Return how often to repeat the labelled images, at least once.

    Example:
        >>> _repeats(60, 240, None), _repeats(60, 240, 0.5), _repeats(240, 60, 0.5)
        (1, 4, 1)
    """
    if share is None:
        return 1
    share = require('teacher_share', share, Fraction)
    return max(round(photos * (1 - share) / (share * labelled)), 1)

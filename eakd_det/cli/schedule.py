"""A schedule of the learning rate that ends when the training does."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mmengine.config import Config


def length_of(cfg: Config) -> tuple[str, int | None]:
    """Return the key of the training's length and its value: iterations, or epochs.

    Example:
        >>> length_of(Config(dict(train_cfg=dict(max_iters=300))))
        ('max_iters', 300)
    """
    loop = cfg.get('train_cfg') or {}
    key = 'max_iters' if loop.get('max_iters') is not None else 'max_epochs'
    return key, loop.get(key)


def follow_length(cfg: Config, before: tuple[str, int | None], options: Collection[str]) -> list[str]:
    """Let schedules that ended with the training do so again, after ``--cfg-options`` changed its length.

    A shorter training would otherwise end before the learning rate falls, and a longer one would go on with the lowest.
    Warm-up keeps its length; milestones and later beginnings move in proportion. Nothing changes if an option sets
    ``param_scheduler``, or if the training is too short for the schedule, such as a trial of three iterations.

    Args:
        cfg: The config with the options merged, changed in place.
        before: :func:`length_of` the config without them.
        options: Names of the options.

    Returns:
        A line for each schedule that was changed.

    Example:
        >>> decay = dict(type='MultiStepLR', by_epoch=False, end=300, milestones=[200])
        >>> cfg = Config(dict(train_cfg=dict(max_iters=900), param_scheduler=[decay]))
        >>> follow_length(cfg, before=('max_iters', 300), options=['train_cfg.max_iters'])
        ['param_scheduler: MultiStepLR ends with the training, at 900 instead of 300']
        >>> cfg.param_scheduler[0].end, cfg.param_scheduler[0].milestones
        (900, [600])
    """
    (key, old), (_, new) = before, length_of(cfg)
    if f'train_cfg.{key}' not in options or any(option.startswith('param_scheduler') for option in options):
        return []
    if not isinstance(old, int) or not isinstance(new, int) or old == new:
        return []
    schedulers = cfg.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, (list, tuple)) else [schedulers]
    ends = {scheduler.get('end') for scheduler in schedulers}
    changed = []
    for scheduler in schedulers:
        by_epoch, begin = scheduler.get('by_epoch', True), scheduler.get('begin', 0)
        moved = begin if begin in ends else round(begin * new / old)  # one that follows the warm-up still does
        if scheduler.get('end') == old and by_epoch == (key == 'max_epochs') and moved < new:
            _stretch(scheduler, moved, old, new)
            changed.append(f'param_scheduler: {scheduler.type} ends with the training, at {new} instead of {old}')
    return changed


def _stretch(scheduler: dict[str, Any], begin: int, old: int, new: int) -> None:
    if scheduler.get('T_max') == old - scheduler.get('begin', 0):
        scheduler['T_max'] = new - begin
    scheduler['begin'], scheduler['end'] = begin, new
    if 'milestones' in scheduler:
        scheduler['milestones'] = [round(milestone * new / old) for milestone in scheduler['milestones']]

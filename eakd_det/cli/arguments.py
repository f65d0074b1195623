"""The flags of the command line tools: those of MMDetection 3, and ``--teacher`` for testing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from mmengine.config import DictAction

_CONFIG_HELP = 'config file, or PAIR.py+METHOD (configs/pairs/r101-r18_coco.py+ea-kd; see configs/README.md)'
_CFG_OPTIONS_HELP = (
    'override settings of the config: key=value pairs, where a key may be a path (optim_wrapper.optimizer.lr=0.01, '
    'custom_hooks.0.priority=LOW) and a list is written key="[a,b]" or key=a,b, without blanks'
)


def parse_train_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/train.py``.

    Example:
        >>> args = parse_train_arguments(['config.py', '--resume', '--cfg-options', 'train_cfg.max_epochs=3'])
        >>> args.resume, args.cfg_options
        ('auto', {'train_cfg.max_epochs': 3})
    """
    parser = argparse.ArgumentParser(prog='train.py', description='Train a detector, distilled or plain')
    parser.add_argument('config', help=_CONFIG_HELP)
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<name of the config>')
    parser.add_argument('--amp', action='store_true', help='train with automatic mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate to the actual batch size')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint; without a path, from the latest one in the work folder',
    )
    _add_common(parser)
    return _with_local_rank(parser.parse_args(argv))


def parse_check_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/check_data.py``.

    Example:
        >>> parse_check_arguments(['config.py', '--images', '100']).images
        100
    """
    parser = argparse.ArgumentParser(prog='check_data.py', description='Check the data of a config and draw samples')
    parser.add_argument('config', help=_CONFIG_HELP)
    parser.add_argument('--work-dir', help='folder for the picture; default: work_dirs/<name of the config>')
    parser.add_argument('--images', type=int, help='number of images to open in each data set; default: all')
    _add_common(parser)
    return _with_local_rank(parser.parse_args(argv))


def parse_test_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/test.py``.

    Example:
        >>> args = parse_test_arguments(['config.py', '--teacher'])
        >>> args.teacher, args.checkpoint is None
        (True, True)
    """
    parser = argparse.ArgumentParser(prog='test.py', description='Test a detector: the plain student, or the teacher')
    parser.add_argument('config', help=_CONFIG_HELP)
    parser.add_argument('checkpoint', nargs='?', help='checkpoint; with --teacher, the default is model.teacher_ckpt')
    parser.add_argument('--teacher', action='store_true', help="test a distillation config's teacher, not its student")
    parser.add_argument('--work-dir', help='folder for logs and metrics; default: work_dirs/<name of the config>')
    parser.add_argument('--out', help='write the predictions to this pickle file')
    parser.add_argument('--show', action='store_true', help='show the predictions in a window')
    parser.add_argument('--show-dir', help='write painted images to <work-dir>/<time>/<show-dir>')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds between shown images; default: 2')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation')
    _add_common(parser)
    args = parser.parse_args(argv)
    if args.checkpoint is None and not args.teacher:
        parser.error('the following arguments are required: checkpoint (optional only with --teacher)')
    return _with_local_rank(args)


def parse_label_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/label_photos.py``.

    Example:
        >>> args = parse_label_arguments(['config.py', 'photos', '--score', 'auto'])
        >>> args.score, args.out
        ('auto', 'teacher_labels.json')
    """
    parser = argparse.ArgumentParser(
        prog='label_photos.py',
        description='Let a teacher label photos, to train a student on them. The photos that the config validates '
        'with must not be among them; photos that have labels are left out.',
    )
    parser.add_argument('config', help=f"the teacher's config, or a distillation config with it: {_CONFIG_HELP}")
    parser.add_argument('photos', help='folder of photos; folders in it are searched as well')
    parser.add_argument('--checkpoint', help="the teacher's weights; default: model.teacher_ckpt of the config")
    parser.add_argument(
        '--score',
        type=_score,
        default=0.5,
        help="keep boxes from this score on; 'auto' chooses a score for each class, at which the photos have as many "
        'boxes as the labelled images, between 0.3 and 0.9; default: 0.5',
    )
    parser.add_argument('--out', default='teacher_labels.json', help='annotation file to write; default: %(default)s')
    parser.set_defaults(work_dir=None)
    _add_common(parser)
    return _with_local_rank(parser.parse_args(argv))


def _score(text: str) -> float | str:
    if text == 'auto':
        return text
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, or 'auto', but got {text}")
    return value


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help=_CFG_OPTIONS_HELP)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    # torch.distributed.launch uses either spelling, depending on torch's version.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def _with_local_rank(args: argparse.Namespace) -> argparse.Namespace:
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args

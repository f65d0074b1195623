"""The command line of ``eakd-distill`` and ``tools/distill.py``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import DictAction

from eakd_det.cli.failures import run_tool
from eakd_det.onecall.distilling import distill
from eakd_det.onecall.students import named_students

_SIZES = {'gpu': 'faster-rcnn_mv2', 'small': 'faster-rcnn_r18w16'}  # the former --size


def main(argv: Sequence[str] | None = None) -> int:
    """Distil and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_arguments(argv)
    options = {**(args.cfg_options or {}), 'plain': args.plain}
    if args.method is not None:
        options['method'] = args.method
    student = args.student or _SIZES.get(args.size)
    return run_tool(lambda: distill(args.data, args.teacher, student, args.unlabeled, args.out, options))


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments.

    Example:
        >>> parse_arguments(['my_data', '--student', '5M']).student
        '5M'
    """
    parser = argparse.ArgumentParser(
        prog='eakd-distill',
        description='Train a teacher on your photos, a student, and the student with its help; compare them. Stopped '
        'at any point, the same command continues. --demo does so on generated data, in about four minutes.',
    )
    parser.add_argument('data', help='folder of the data: COCO (docs/custom_data.md), or in the layout of YOLO or VOC')
    parser.add_argument(
        '--teacher', help="checkpoint, work folder, or model of MMDetection's zoo; default: trained first"
    )
    parser.add_argument(
        '--student',
        help=f'{", ".join(named_students())}; a config; or the largest size that fits, such as 5M parameters or 30ms',
    )
    parser.add_argument('--unlabeled', '--photos', help='folder of photos without labels, which the teacher labels')
    parser.add_argument(
        '--out', '--work-dir', help='folder of all results; default: work_dirs/distill/<name of the data>'
    )
    parser.add_argument('--method', help='a method of configs/methods; default: what goes with the student')
    parser.add_argument(
        '--plain', action=argparse.BooleanOptionalAction, default=True, help='train the student without a teacher, too'
    )
    parser.add_argument('--size', choices=list(_SIZES), help=argparse.SUPPRESS)
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='settings for all steps'
    )
    return parser.parse_args(argv)

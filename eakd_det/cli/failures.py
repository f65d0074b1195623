"""End a tool on a user's error with one line and status 1, and let errors of our own keep their traceback."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from torch.distributed.elastic.multiprocessing.errors import record

from eakd_det.errors import ConfigError
from eakd_det.files import is_out_of_space

_RANK_VARIABLES = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
_GRACE_SECONDS = 5.0


def process_rank() -> int:
    """The rank of this process in a distributed run, from the launcher's variables; 0 in any other run."""
    return next((int(os.environ[name]) for name in _RANK_VARIABLES if os.environ.get(name, '').isdigit()), 0)


def run_tool(job: Callable[[], object]) -> int:
    """Run ``job`` and return the tool's exit status: 0, or 1 after a :class:`ConfigError` was printed to stderr.

    Whatever ends it is also written to the file that ``TORCHELASTIC_ERROR_FILE`` names, as ``torchrun`` expects.
    A full disk counts as one, whoever notices it first: a log, a record or a checkpoint.

    In a distributed run every process fails by itself and the first one prints. The others wait a little before
    they print: if the first has failed too, the launcher ends them meanwhile, and the line appears once; if it has
    not, the error is theirs alone and must not get lost.
    """
    try:
        record(_end_in_one_line)(job)
    except ConfigError as error:
        rank = process_rank()
        if rank:
            time.sleep(_GRACE_SECONDS)
        sys.stdout.flush()
        print(f'Error: {"" if not rank else f"[rank {rank}] "}{error}', file=sys.stderr, flush=True)
        return 1
    return 0


def _end_in_one_line(job: Callable[[], object]) -> None:
    try:
        job()
    except ConfigError as error:
        raise ConfigError(one_line(error)) from error
    except OSError as error:
        if not is_out_of_space(error):
            raise
        file = f' ({error.filename})' if error.filename else ''
        raise ConfigError(
            f'{error.strerror}{file}; make room, and go on with --resume from the last checkpoint written'
        ) from error


def one_line(error: ConfigError) -> str:
    r"""The message in one line; of an error that a data loader's worker passed on, the last line is the message.

    Example:
        >>> one_line(ConfigError('Caught ConfigError in DataLoader worker process 0.\nTrace\nmod.ConfigError: no'))
        'no'
    """
    text = str(error).strip()
    if text.startswith('Caught ConfigError in '):
        text = text.split('ConfigError: ')[-1]
    return ' '.join(text.split())

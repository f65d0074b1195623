"""End a tool with one line and status 1 on a user's error; other errors keep their traceback."""

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
    """Return the rank of this process in a distributed run, from the launcher's variables, or 0."""
    return next((int(os.environ[name]) for name in _RANK_VARIABLES if os.environ.get(name, '').isdigit()), 0)


def run_tool(job: Callable[[], object]) -> int:
    """Run ``job`` and return the tool's exit status: 0, or 1 after a :class:`ConfigError` was printed to stderr.

    Any error is also written to the file that ``TORCHELASTIC_ERROR_FILE`` names, as ``torchrun`` expects.
    A full disk counts as a user's error, whether it stops a log, a record or a checkpoint.

    In a distributed run each process fails on its own and the first one prints. The others wait before they print: if
    the first failed as well, the launcher ends them meanwhile and the line appears once; otherwise the error is theirs
    alone and must be printed.
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
            f'{error.strerror}{file}; free some space and continue with --resume from the last checkpoint'
        ) from error


def one_line(error: ConfigError) -> str:
    r"""Return the message in one line; of an error passed on by a data loader's worker, the last line.

    Example:
        >>> one_line(ConfigError('Caught ConfigError in DataLoader worker process 0.\nTrace\nmod.ConfigError: no'))
        'no'
    """
    text = str(error).strip()
    if text.startswith('Caught ConfigError in '):
        text = text.split('ConfigError: ')[-1]
    return ' '.join(text.split())

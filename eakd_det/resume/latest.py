"""Find the newest intact checkpoint of a work folder."""

from __future__ import annotations

import logging
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from mmengine.logging import print_log

from eakd_det.checkpoint import UnreadableCheckpointError, load_checkpoint_file
from eakd_det.errors import ConfigError
from eakd_det.resume.checkpoint_hook import LAST_CHECKPOINT

_TEMPLATES = ('iter_{}.pth', 'epoch_{}.pth')


def latest_checkpoint(work_dir: str | Path, templates: Iterable[str] = _TEMPLATES) -> Path | None:
    """Return the checkpoint that ``last_checkpoint`` names, or the newest intact one before it.

    A checkpoint is intact if it can be read completely and its checksums match. Skipped files are logged. If
    ``last_checkpoint`` is missing or empty, all checkpoints in the folder are tried, newest first.

    Args:
        work_dir: The work folder of the run.
        templates: Names of its checkpoints, with ``{}`` for the step. Defaults to MMEngine's.

    Returns:
        The file, or None if the folder holds no checkpoint.

    Raises:
        ConfigError: If no checkpoint in the folder is intact, or one holds objects that could run code.
    """
    candidates = _candidates(Path(work_dir), tuple(templates))
    reasons = []
    for path in candidates:
        try:
            _require_intact(path)
        except UnreadableCheckpointError as error:
            reasons.append(str(error).removeprefix('--resume: '))
            continue
        for reason in reasons:
            _log(f'--resume: {reason}', logging.WARNING)
        _log(f'--resume: continuing from {path}', logging.WARNING if reasons else logging.INFO)
        return path
    if reasons:
        raise ConfigError(f'--resume: expected an intact checkpoint in {work_dir}, but {"; and ".join(reasons)}')
    return None


def _candidates(work_dir: Path, templates: tuple[str, ...]) -> list[Path]:
    pointer = work_dir / LAST_CHECKPOINT
    named = Path(pointer.read_text(errors='replace').strip() or '.') if pointer.is_file() else Path()
    named = named if named.exists() or not named.name else work_dir / named.name  # the folder was moved
    folder = named.parent if named.name else work_dir
    steps = {path: step for path in folder.glob('*.pth') if (step := _step(path, templates)) is not None}
    newest = _step(named, templates) if named.name else None
    earlier = [path for path in sorted(steps, key=lambda path: -steps[path]) if newest is None or steps[path] < newest]
    return [named, *earlier] if named.name else earlier


def _step(path: Path, templates: tuple[str, ...]) -> int | None:
    for template in templates:
        head, _, tail = template.partition('{}')
        if found := re.fullmatch(f'{re.escape(head)}(\\d+){re.escape(tail)}', path.name):
            return int(found[1])
    return None


def _require_intact(path: Path) -> None:
    if not path.is_file():
        raise UnreadableCheckpointError(f'--resume: {path} does not exist')
    load_checkpoint_file(path, '--resume')
    if not zipfile.is_zipfile(path):
        return  # torch's legacy format has no checksums
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableCheckpointError(f'--resume: {path} is damaged ({error})') from error
    if broken is not None:
        raise UnreadableCheckpointError(f'--resume: {path} is damaged (the checksum of {broken} does not match)')


def _log(message: str, level: int) -> None:
    print_log(message, logger='current', level=level)

"""One training run of the demo, by MMEngine's runner on a config file as ``tools/train.py`` does it; done only once."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from eakd_det.cli.config import merge_options, read_config
from eakd_det.cli.running import build_runner
from eakd_det.datasets import apply_data_options
from eakd_det.evaluation import RECORD_NAME, EvalRecord
from eakd_det.files import write_atomically
from eakd_det.lab.demo.plan import Stage
from eakd_det.lab.experiment.fingerprint import fingerprint
from eakd_det.visualization.progress import ProgressHook

_RESULT = 'result.json'


@dataclasses.dataclass(frozen=True)
class StageResult:
    """What a stage has come to.

    Args:
        stage: Which one.
        checkpoint: Its weights.
        metrics: AP, AP50, ... of the validation scenes, as fractions; None where there is no box of that size.
        parameters: Number of the detector's parameters.
        iterations: Number of training steps.
        seconds: How long training and evaluation took.
        reused: Whether all this comes from an earlier run.
    """

    stage: Stage
    checkpoint: Path
    metrics: dict[str, float | None]
    parameters: int
    iterations: int
    seconds: float
    reused: bool = False


def stage_config(
    path: Path, work_dir: Path, data_root: Path, seed: int, options: Mapping[str, Any], teacher: Path | None
) -> Config:
    """Read a stage's config file and set what differs from run to run: folders, seed, the teacher's weights."""
    cfg = read_config(str(path))
    changes = {**options, 'data_root': str(data_root), 'work_dir': str(work_dir), 'randomness': dict(seed=seed)}
    if teacher is not None:
        changes['model.teacher_ckpt'] = str(teacher)
    merge_options(cfg, changes)
    cfg.launcher = 'none'
    return apply_data_options(cfg, 'train')


def run_stage(stage: Stage, cfg: Config, inputs: list[Path]) -> StageResult:
    """Train a stage, or find that it was trained before with the same config and the same ``inputs``.

    What MMEngine and pycocotools print goes to ``console.log`` in the work folder; standard output gets the progress
    alone.

    Args:
        stage: What to train.
        cfg: Its config, complete.
        inputs: Files besides the config that the result depends on.
    """
    work_dir = Path(cfg.work_dir)
    checksum = fingerprint(cfg, inputs)
    done = _read_result(stage, work_dir / _RESULT, checksum)
    if done is not None:
        return done
    work_dir.mkdir(parents=True, exist_ok=True)
    (work_dir / _RESULT).unlink(missing_ok=True)
    result = _train(stage, cfg, sys.stdout)
    values = dataclasses.asdict(dataclasses.replace(result, checkpoint=Path(result.checkpoint.name)))
    del values['stage'], values['reused']
    text = json.dumps({**values, 'fingerprint': checksum}, indent=1, default=str)
    write_atomically(work_dir / _RESULT, text.encode())
    return result


def _train(stage: Stage, cfg: Config, screen: TextIO) -> StageResult:
    work_dir = Path(cfg.work_dir)
    progress = ProgressHook(f'  {stage.title}', stage.losses, screen, bar=False)  # stages run side by side
    start = time.monotonic()
    try:
        with _quietly(work_dir / 'console.log'):
            runner = build_runner(cfg)
            runner.register_hook(progress, priority='LOWEST')
            runner.train()
    finally:
        progress.close()
    return StageResult(
        stage,
        Path(find_latest_checkpoint(str(work_dir))),
        _measured(work_dir / RECORD_NAME),
        sum(parameter.numel() for parameter in runner.model.parameters()),
        runner.iter,
        time.monotonic() - start,
    )


def _measured(record: Path) -> dict[str, float | None]:
    entry = EvalRecord.read(record).last()
    return {} if entry is None else entry.metrics


@contextlib.contextmanager
def _quietly(log: Path) -> Iterator[None]:
    """Send what is printed to a file. MMEngine's handler takes the standard output that it finds when it is made."""
    with log.open('w') as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        yield


def _read_result(stage: Stage, path: Path, expected: str) -> StageResult | None:
    try:
        values = json.loads(path.read_text())
        if values.pop('fingerprint') != expected:
            return None
        checkpoint = path.parent / values.pop('checkpoint')
        return StageResult(stage, checkpoint, **values, reused=True) if checkpoint.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None

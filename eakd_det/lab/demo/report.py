"""The demo's record: all that somebody needs who wants to compare their run with this one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import torch

from eakd_det.evaluation.provenance import versions
from eakd_det.evaluation.record import utc_now
from eakd_det.lab.demo.stages import StageResult


def make_record(
    results: Sequence[StageResult], command: str, seed: int, scenes: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """The record, ready for JSON.

    Args:
        results: What the stages have come to.
        command: The command line that makes this record again.
        seed: The seed of all stages.
        scenes: Arguments of :func:`eakd_det.datasets.make_digit_scenes`.
        seconds: Time of the whole demo. Stages that were not trained again count with the time they once took.
    """
    return {
        'command': command,
        'time': utc_now(),
        'seconds': round(seconds, 1),
        'seed': seed,
        'scenes': dict(scenes),
        'versions': {**versions(), 'scikit-learn': metadata.version('scikit-learn')},
        'machine': {'device': 'cpu', 'cores': os.cpu_count(), 'torch_threads': torch.get_num_threads()},
        'results': [
            {
                'name': result.stage.name,
                'config': f'configs/demo/{result.stage.config}',
                'metrics': result.metrics,
                'parameters': result.parameters,
                'iterations': result.iterations,
                'seconds': round(result.seconds, 1),
            }
            for result in results
        ],
    }

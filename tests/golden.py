"""Golden values of every method: computed in numpy float64, most of them also with the methods' published code."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

FILE = Path(__file__).parent / 'data' / 'golden_losses.json'
TOLERANCE = {torch.float64: dict(rtol=1e-6, atol=1e-8), torch.float32: dict(rtol=1e-4, atol=1e-6)}
DTYPES = tuple(TOLERANCE)


@cache
def entries() -> list[dict[str, Any]]:
    return json.loads(FILE.read_text())


def cases(*methods: str, official: str | None = None) -> pytest.MarkDecorator:
    """Parametrise a test with ``case`` and ``dtype`` over all golden cases of ``methods``.

    With ``official`` only over those where the published code was run and gave a value of that name.
    """
    found = [(index, entry) for index, entry in enumerate(entries()) if entry['method'] in methods]
    if official:
        found = [(index, entry) for index, entry in found if official in entry.get('official_code', {})]
    missing = set(methods) - {entry['method'] for _, entry in found}
    if missing:
        raise LookupError(f'no golden case of {missing}')
    params = [
        pytest.param(entry, dtype, id=f'{entry["method"]}-{entry["case"]}-{index}-{str(dtype)[6:]}')
        for index, entry in found
        for dtype in DTYPES
    ]
    return pytest.mark.parametrize(('case', 'dtype'), params)


def logits(case: dict[str, Any], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Student logits, which want a gradient, and teacher logits."""
    shape = case['params'].get('shape', (len(case['student_logits']), -1))
    student = torch.tensor(case['student_logits'], dtype=dtype).reshape(shape)
    return student.requires_grad_(), torch.tensor(case['teacher_logits'], dtype=dtype).reshape(shape)


def targets(case: dict[str, Any]) -> Tensor:
    return torch.tensor(case['targets'], dtype=torch.int64)


def check(actual: Tensor, expected: Any, dtype: torch.dtype) -> None:
    """Assert that ``actual`` is what the golden file says, within the tolerance of ``dtype``."""
    assert actual.dtype == dtype
    torch.testing.assert_close(
        actual.detach(), torch.tensor(expected, dtype=torch.float64).to(dtype), **TOLERANCE[dtype]
    )


def check_present(expected: dict[str, Any], dtype: torch.dtype, **actual: Tensor) -> None:
    """Assert all that the golden file lists of ``actual``, and that it lists something."""
    found = [name for name in actual if name in expected]
    assert found, f'none of {sorted(actual)} in {sorted(expected)}'
    for name in found:
        check(actual[name], expected[name], dtype)

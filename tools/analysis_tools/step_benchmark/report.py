"""Summarise and tabulate the times of the arms."""

from __future__ import annotations

from typing import Any

from eakd_det.tables import markdown_table
from step_benchmark.arms import OUR_STUDENT, PLAIN
from step_benchmark.timing import Times, format_spread, spread

TEACHER = 'teacher alone'


def summarise(times: dict[str, Times], agreement: dict[str, str], memory: dict[str, float]) -> list[dict[str, Any]]:
    """Return one row per arm; ratios are taken in each round.

    ``overhead`` is (step − stock student's step) / (teacher's backbone, FPN and box head in float32): the cost of
    distillation relative to the minimum cost of the teacher.
    """
    plain, teacher = times[PLAIN].step, times[TEACHER].step
    rows = []
    for name, arm in times.items():
        row: dict[str, Any] = dict(
            arm=name, step=spread(arm.step), forward=spread(arm.forward), backward=spread(arm.backward)
        )
        row['relative'] = spread([step / base for step, base in zip(arm.step, plain, strict=True)])
        if name not in (PLAIN, OUR_STUDENT, TEACHER):
            row['overhead'] = spread([(s - p) / t for s, p, t in zip(arm.step, plain, teacher, strict=True)])
        if arm.loss:
            row['loss'] = spread(arm.loss)
        row['logits'] = agreement.get(name, '')
        if name in memory:
            row['peak_memory_mib'] = memory[name]
        rows.append(row)
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    headings = ['arm', 'step, s (min to max)', 'forward, s', 'backward, s', 'our loss, ms', '÷ stock student']
    lines = []
    for row in rows:
        lines.append(
            [
                row['arm'],
                format_spread(row['step']),
                f'{row["forward"]["median"]:.2f}',
                f'{row["backward"]["median"]:.2f}',
                f'{1000 * row["loss"]["median"]:.1f}' if 'loss' in row else '',
                f'{row["relative"]["median"]:.3f}',
                f'{row["overhead"]["median"]:.2f}' if 'overhead' in row else '',
                row['logits'],
                f'{row["peak_memory_mib"]:.0f}' if 'peak_memory_mib' in row else '',
            ]
        )
    return markdown_table([*headings, 'overhead', 'logits', 'memory, MiB'], lines, texts=(0, 1, 7))

"""Turn the records of runs into a report: rows of figures, differences to student and control, warnings."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eakd_det.evaluation.record import utc_now
from eakd_det.lab.experiment.loss_facts import FACTS
from eakd_det.lab.experiment.plan import Plan
from eakd_det.lab.experiment.published import published_notes, published_numbers
from eakd_det.lab.experiment.records import RunRecord
from eakd_det.lab.experiment.same_start import check_same_start
from eakd_det.lab.experiment.statistics import Difference, Spread, paired_difference, recovered_share, spread
from eakd_det.lab.experiment.sweeps import sweep_variance

FIGURES = ('AP', 'AP50', 'AP75')
FORMAT = 1


def make_report(
    plan: Plan, records: Sequence[RunRecord], teacher: RunRecord | None, command: str, arm_commands: Mapping[str, str]
) -> dict[str, Any]:
    """Return the report, ready for JSON; all figures are fractions.

    Args:
        plan: The plan.
        records: One record for each arm and seed, including missing and failed runs.
        teacher: Record of the teacher.
        command: Command line that makes this report.
        arm_commands: Command line that repeats the row of an arm, by arm.
    """
    by_arm = {arm.name: [record for record in records if record.arm == arm.name] for arm in plan.arms}
    published = published_numbers(plan.published) if plan.published else {}
    teacher_ap = None if teacher is None or teacher.status != 'finished' else teacher.metrics.get('AP')
    rows = []
    for arm in plan.arms:
        row: dict[str, Any] = dict(name=arm.name, title=arm.title, config=str(arm.config), options=dict(arm.options))
        row['command'] = arm_commands[arm.name]
        row['runs'] = dict(planned=len(by_arm[arm.name]), **Counter(record.status for record in by_arm[arm.name]))
        row['published'] = published.get(arm.name)
        row.update(_compare(by_arm[arm.name], _of(by_arm, plan.student), _of(by_arm, plan.control), teacher_ap))
        rows.append(row)
    return dict(
        format=FORMAT,
        title=plan.title,
        command=command,
        time=utc_now(),
        seeds=list(plan.seeds),
        student=plan.student,
        control=plan.control,
        teacher=None if teacher is None else _teacher_row(teacher, published.get('teacher')),
        arms=rows,
        questions=[
            dict(question=question, arm=arm, minus=other, difference=_differences(by_arm[arm], by_arm[other]))
            for question, arm, other in plan.questions
        ],
        sweeps=[
            dict(name=name, **sweep_variance({arm: _figure(by_arm[arm], 'AP') for arm in arms}))
            for name, arms in plan.sweeps
        ],
        same_start=check_same_start(records),
        published_notes=published_notes(plan.published) if plan.published else [],
        setting=_setting(records),
        runs=[_run_row(record) for record in ([teacher] if teacher else []) + list(records)],
    )


def _of(by_arm: Mapping[str, list[RunRecord]], name: str | None) -> list[RunRecord]:
    return [] if name is None else by_arm[name]


def _figure(records: Sequence[RunRecord], figure: str) -> dict[int, float]:
    return {
        record.seed: value
        for record in records
        if record.status == 'finished' and (value := record.metrics.get(figure)) is not None
    }


def _compare(
    records: Sequence[RunRecord],
    student: Sequence[RunRecord],
    control: Sequence[RunRecord],
    teacher_ap: float | None,
) -> dict[str, Any]:
    values = {figure: _figure(records, figure) for figure in FIGURES}
    to_student = _differences(records, student)
    share = None
    if teacher_ap is not None and to_student:
        share = recovered_share(values['AP'], _figure(student, 'AP'), teacher_ap)
    return dict(
        figures={figure: _plain(spread(list(values[figure].values()))) for figure in FIGURES},
        values={figure: {str(seed): value for seed, value in values[figure].items()} for figure in FIGURES},
        to_student=to_student,
        to_control=_differences(records, control),
        gap_recovered=share,
        loss=_mean_facts(records),
    )


def _differences(records: Sequence[RunRecord], others: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the paired differences in each figure; none of an arm to itself or to one without finished runs."""
    if records is others:
        return {}
    return {
        figure: _plain(paired_difference(_figure(records, figure), _figure(others, figure)))
        for figure in FIGURES
        if _figure(others, figure)
    }


def _mean_facts(records: Sequence[RunRecord]) -> dict[str, float]:
    facts = [record.loss for record in records if record.status == 'finished']
    names = [name for name in FACTS if facts and all(name in each for each in facts)]
    return {name: round(sum(each[name] for each in facts) / len(facts), 4) for name in names}


def _plain(value: Spread | Difference | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        name: round(part, 6) if isinstance(part, float) else part for name, part in dataclasses.asdict(value).items()
    }


def _teacher_row(record: RunRecord, published: Mapping[str, float] | None) -> dict[str, Any]:
    return dict(
        name='teacher',
        title='teacher',
        seed=record.seed,
        command=record.command,
        status=record.status,
        metrics=record.metrics,
        seconds=record.seconds,
        published=dict(published) if published else None,
    )


def _run_row(record: RunRecord) -> dict[str, Any]:
    row = dataclasses.asdict(record)
    del row['versions']  # usually the same for all, so part of the setting
    return row


def _setting(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the settings of all runs, with every value where they differ."""
    ran = [record for record in records if record.status == 'finished']
    versions: dict[str, list[str]] = {}
    for record in ran:
        for package, version in record.versions.items():
            if str(version) not in versions.setdefault(package, []):
                versions[package].append(str(version))
    return dict(
        jobs=sorted({record.jobs for record in ran}),
        threads=sorted({record.threads for record in ran}),
        processes=sorted({record.processes for record in ran}),
        sources=sorted({record.source for record in ran}),
        devices=sorted({str(record.device) for record in ran}),
        resumed=[f'{record.arm}, seed {record.seed}' for record in ran if record.resumes],
        iterations=sorted({record.iterations for record in ran if record.iterations is not None}),
        versions={package: ', '.join(found) for package, found in versions.items()},
    )

"""Execution of a plan: data, teacher, and the grid of runs in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eakd_det.cli.config import read_config
from eakd_det.cli.detectors import is_distillation
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically, write_json
from eakd_det.lab.experiment.cluster import ClusterJob, execute_on_cluster
from eakd_det.lab.experiment.comparison import make_report
from eakd_det.lab.experiment.page import page
from eakd_det.lab.experiment.plan import Arm, Plan
from eakd_det.lab.experiment.pool import execute, set_run_aside
from eakd_det.lab.experiment.processes import Job, Settings
from eakd_det.lab.experiment.records import CONSOLE_NAME, RunRecord, read_record, read_reports, reuse_record
from eakd_det.lab.experiment.runs import Run, check_arm, prepare_runs
from eakd_det.lab.experiment.screen import Clock, Screen, live_line, outcome
from eakd_det.lab.experiment.table import markdown
from eakd_det.lab.experiment.workers import warm_up
from eakd_det.lab.scenes import DigitScenes, make_digit_scenes


class Experiment:
    """A plan and the folder of its runs.

    Arms that do not distil are trained in parallel with the teacher, the others after it.

    Args:
        plan: The plan.
        root: The folder.
        settings: Settings of the runs.
        screen: Display of the progress.
        arms: Names of the arms to train. Defaults to None, all.
        options: Overrides for every config in addition to those of the plan, by dotted key.
        command: Returns the command line that repeats the experiment, or the row of an arm.
        reuse: Reports of earlier experiments. Their finished runs, except of the teacher, count here as well if config
            and inputs are the same.

    Attributes:
        teacher: The training, or the evaluation, of the teacher; None without arms that distil.
        runs: The runs of each arm, by name; those that distil exist once the teacher is trained.
        scenes: The data, if the plan generates it.

    Raises:
        ConfigError: If the plan is invalid.
    """

    def __init__(
        self,
        plan: Plan,
        root: Path,
        settings: Settings,
        screen: Screen,
        arms: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
        command: Callable[[str | None], str] = lambda arm: '',
        reuse: Sequence[Path] = (),
    ) -> None:
        self.plan, self.root, self.settings, self.screen = plan, root, settings, screen
        self.runs: dict[str, list[Run]] = {}
        self.teacher: Run | None = None
        self.scenes: DigitScenes | None = None
        self._chosen = [plan.arm(name) for name in arms or [arm.name for arm in plan.arms]]
        self._options: dict[str, Any] = {**plan.options, **(options or {})}
        self._command = command
        self._known = read_reports(reuse)

    def find_runs(self) -> None:
        """Find the runs of all arms without training.

        Raises:
            ConfigError: If the teacher needs training and is not finished.
        """
        self._make_data()
        self.teacher = self._teacher_run()
        self._prepare(self.plan.arms, self._teacher_checkpoint())

    def run(self, fresh: bool = False, checked: Callable[[], object] = lambda: None) -> set[Path]:
        """Train unfinished runs and return their folders.

        Args:
            fresh: Whether to repeat finished runs, except for the teacher.
            checked: Called after the check of all arms, before the first run.

        Raises:
            ConfigError: If an arm is invalid or the teacher fails.
        """
        if self.settings.executor is None:
            warm_up()
        self._make_data()
        for arm in self._chosen:
            check_arm(arm, self._options, self.plan.teacher.checkpoint, self.plan.teacher.config is not None)
        checked()
        self.teacher = self._teacher_run()
        trains_teacher = self.teacher is not None and self.teacher.tool == 'train'
        later = [arm for arm in self.plan.arms if trains_teacher and _distils(arm)]
        self._prepare([arm for arm in self.plan.arms if arm not in later], self.plan.teacher.checkpoint)
        waiting = [*([self.teacher] if self.teacher else []), *self._wanted(fresh)]
        trained: set[Path] = set()

        def teacher_ended() -> None:
            known = set(self.runs)
            self._prepare(later, self._teacher_checkpoint())
            waiting.extend(run for run in self._wanted(fresh, known))
            waiting.sort(key=self._order)

        def ended(run: Run, seconds: float | None) -> None:
            if seconds is not None:
                trained.add(run.folder)
            if run is self.teacher:
                teacher_ended()
            elif seconds is not None and len(self.runs) == len(self.plan.arms):
                self.report()

        self._execute(waiting, ended)
        return trained

    def report(self) -> dict[str, Any]:
        """Write ``report.json``, ``report.md`` and ``report.html``, and return the report."""
        report = make_report(
            self.plan,
            [read_record(run) for arm in self.plan.arms for run in self.runs[arm.name]],
            None if self.teacher is None else read_record(self.teacher),
            self._command(None),
            {arm.name: self._command(arm.name) for arm in self.plan.arms},
        )
        write_json(self.root / 'report.json', report)
        write_atomically(self.root / 'report.md', markdown(report).encode())
        write_atomically(self.root / 'report.html', page(report).encode())
        return report

    def require_finished(self) -> None:
        """Check that every requested run is finished.

        Raises:
            ConfigError: If one is not finished.
        """
        records = [read_record(run) for run in self._wanted()]
        bad = [record for record in records if record.status != 'finished']
        if bad:
            first = bad[0]
            folder = self.root / 'runs' / first.arm / f'seed-{first.seed}'
            raise ConfigError(
                f'{len(bad)} of {len(records)} runs are not finished; the first: {first.arm}, seed {first.seed} '
                f'({first.error or first.status}); see {folder / CONSOLE_NAME}'
            )

    def _make_data(self) -> None:
        if self.plan.data is None:
            return
        arguments = dict(self.plan.data)
        kind = arguments.pop('type', None)
        if kind != 'digit_scenes':
            raise ConfigError(
                f"data.type: expected 'digit_scenes', but got {kind!r}; other data is set by options.data_root"
            )
        scenes = self.scenes = make_digit_scenes(self.root / 'data', **arguments)
        self.screen.say(f'data: {"found" if scenes.reused else "made"} in {scenes.root}')
        self._options = {'data_root': str(scenes.root), **self._options}

    def _teacher_run(self) -> Run | None:
        stage, folder = self.plan.teacher, self.root / 'teacher'
        if stage.config is not None:
            arm = Arm('teacher', 'teacher', stage.config, stage.options)
            return prepare_runs(arm, (stage.seed,), folder, self._options, None)[0]
        config = next((arm.config for arm in self.plan.arms if _distils(arm)), None)
        if config is None:
            return None
        return prepare_runs(
            Arm('teacher', 'teacher', config), (0,), folder, self._options, stage.checkpoint, tool='test'
        )[0]

    def _teacher_checkpoint(self) -> str | None:
        if self.teacher is None or self.teacher.tool == 'test':
            return self.plan.teacher.checkpoint
        record = read_record(self.teacher)
        if record.status != 'finished':
            why = record.error or record.status
            raise ConfigError(
                f'teacher: its training is not finished ({why}); see {self.teacher.folder / CONSOLE_NAME}'
            )
        return str(self.teacher.checkpoint())

    def _prepare(self, arms: Sequence[Arm], teacher: str | None) -> None:
        for arm in arms:
            folder = self.root / 'runs' / arm.name
            self.runs[arm.name] = prepare_runs(arm, self.plan.seeds, folder, self._options, teacher)
            for run in self.runs[arm.name]:
                reuse_record(run, self._known)

    def _wanted(self, fresh: bool = False, known: Sequence[str] | set[str] = ()) -> list[Run]:
        """Return the runs to train in order, without the arms in ``known``; set old ones aside if ``fresh``."""
        names = [arm.name for arm in self._chosen if arm.name in self.runs and arm.name not in known]
        runs = sorted((run for name in names for run in self.runs[name]), key=self._order)
        for run in runs if fresh else []:
            set_run_aside(run)
        return runs

    def _order(self, run: Run) -> tuple[int, int]:
        """Return the sort key: all arms of one seed come before the next seed, for an early comparison."""
        names = [arm.name for arm in self.plan.arms]
        return (-1, 0) if run is self.teacher else (self.plan.seeds.index(run.seed), names.index(run.arm))

    def _execute(self, waiting: list[Run], after: Callable[[Run, float | None], None]) -> None:
        clock, done = Clock(self.settings.jobs), 0
        total = len(self._chosen) * len(self.plan.seeds) + (self.teacher is not None)

        def watch(jobs: Sequence[Job] | Sequence[ClusterJob], waiting: Sequence[Run]) -> None:
            if jobs or waiting:
                self.screen.show(live_line(jobs, done, total, total - done - len(jobs), clock))

        def ended(run: Run, record: RunRecord, seconds: float | None) -> None:
            nonlocal done
            done += 1
            if seconds is not None and record.status == 'finished':
                clock.ended(seconds)
            note = '; already finished' if seconds is None else ''
            self.screen.say(f'[{done}/{total}] {time.strftime("%H:%M")} {outcome(run, record)}{note}')
            after(run, seconds)

        try:
            if self.settings.executor is None:
                execute(waiting, self.settings, watch, ended)
            else:
                execute_on_cluster(waiting, self.settings, watch, ended, self.root)
        finally:
            self.screen.close()


def _distils(arm: Arm) -> bool:
    return is_distillation(read_config(str(arm.config)).get('model') or {})

"""Real processes, quick ones: what is run, what is not run again, what happens when somebody stops it."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment import pool, processes
from eakd_det.lab.experiment.pool import execute
from eakd_det.lab.experiment.processes import Settings, locked
from eakd_det.lab.experiment.records import read_record
from eakd_det.lab.experiment.runs import Run


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    def command(run, config, resume, settings):
        arguments = [str(run.folder), str(run.seed), *(['--resume'] if resume else [])]
        return 'tests.test_lab.test_experiment.quick_training', arguments

    monkeypatch.setattr(processes, '_command', command)
    monkeypatch.setattr(pool, '_POLL_SECONDS', 0.02)


def make_run(root: Path, arm: str = 'kd', seed: int = 0, fingerprint: str = 'f') -> Run:
    cfg = Config(dict(model=dict(), train_dataloader=dict(batch_size=4)))
    return Run(arm, f'{arm}, seed {seed}', seed, root / arm / f'seed-{seed}', cfg, fingerprint, f'train {arm}')


class Ending:
    """Keeps what :func:`execute` reports, and can stop it."""

    def __init__(self, stop_when=None) -> None:
        self.ended: list[tuple[str, str, bool]] = []
        self.most = 0
        self._stop_when = stop_when

    def watch(self, jobs, waiting):
        self.most = max(self.most, len(jobs))
        if self._stop_when is not None and self._stop_when(jobs):
            raise KeyboardInterrupt

    def note(self, run, record, seconds):
        self.ended.append((run.title, record.status, seconds is not None))


def go(runs, settings: Settings | None = None, stop_when=None) -> Ending:
    ending = Ending(stop_when)
    execute(list(runs), settings or Settings(threads=1), ending.watch, ending.note)
    return ending


def calls(run: Run) -> str:
    return (run.folder / 'calls').read_text()


def test_what_is_finished_is_not_done_again(tmp_path):
    run = make_run(tmp_path)
    assert go([run]).ended == [('kd, seed 0', 'finished', True)]
    assert go([run]).ended == [('kd, seed 0', 'finished', False)]
    assert calls(run) == '|'
    record = json.loads((run.folder / 'record.json').read_text())
    assert (record['metrics'], record['seconds'], record['iterations']) == ({'AP': 0.5}, 2.5, 5)
    assert (record['threads'], record['command'], record['versions']) == (1, 'train kd', {'torch': '2'})
    assert (run.folder / 'threads').read_text() == '1 1'


def test_other_settings_are_trained_anew_and_the_old_run_is_kept(tmp_path):
    old, new = make_run(tmp_path), make_run(tmp_path, fingerprint='g')
    go([old])
    assert read_record(new).status == 'missing'
    assert go([new]).ended == [('kd, seed 0', 'finished', True)]
    (kept,) = (tmp_path / 'kd').glob('seed-0.previous-*')
    assert (kept / 'record.json').is_file()


def test_a_failure_is_recorded_and_the_others_go_on(tmp_path):
    runs = [make_run(tmp_path, seed=1), make_run(tmp_path)]
    assert go(runs).ended == [('kd, seed 1', 'failed', True), ('kd, seed 0', 'finished', True)]
    record = read_record(runs[0])
    assert record.error == 'exit status 1: data_root: no such folder'
    assert ('kd, seed 1', 'failed', True) in go(runs).ended, 'it is tried again'


def test_a_run_that_is_killed_has_failed_of_the_last_line_it_printed(tmp_path):
    run = make_run(tmp_path, seed=6)
    assert go([run]).ended == [('kd, seed 6', 'failed', True)]
    assert read_record(run).error == 'exit status -9: killed soon'


def test_what_depends_on_a_run_is_added_when_it_has_ended(tmp_path):
    first, second = make_run(tmp_path, 'teacher'), make_run(tmp_path)
    waiting, ended = [first], []

    def note(run, record, seconds):
        ended.append(run.arm)
        if run is first:
            waiting.append(second)

    execute(waiting, Settings(jobs=2, threads=1), lambda jobs, waiting: None, note)
    assert ended == ['teacher', 'kd']


def test_a_training_without_a_last_evaluation_has_failed(tmp_path):
    run = make_run(tmp_path)
    go([run])
    progress = json.loads((run.folder / 'progress.json').read_text())
    (run.folder / 'progress.json').write_text(json.dumps({**progress, 'iteration': 6}))
    assert read_record(run).status == 'failed'
    assert 'not evaluated' in read_record(run).error


def test_stopped_in_the_middle_it_ends_its_processes_and_goes_on_from_the_checkpoint(tmp_path):
    run = make_run(tmp_path, seed=2)
    processes = []

    def when(jobs):
        processes[:] = [job.process for job in jobs]
        return (run.folder / 'iter_1.pth').exists()

    with pytest.raises(KeyboardInterrupt):
        go([run], stop_when=when)
    assert processes[0].exitcode is not None
    assert read_record(run).status == 'unfinished'
    (run.folder / 'stop_waiting').touch()
    assert go([run]).ended == [('kd, seed 2', 'finished', True)]
    assert calls(run) == '|--resume|'


def test_stopped_before_a_checkpoint_it_begins_anew(tmp_path):
    run = make_run(tmp_path, seed=2)
    with pytest.raises(KeyboardInterrupt):
        go([run], stop_when=lambda jobs: (run.folder / 'iter_1.pth').exists())
    (run.folder / 'iter_1.pth').unlink()
    (run.folder / 'iter_1.tmp').touch()
    with pytest.raises(KeyboardInterrupt):
        go([run], stop_when=lambda jobs: (run.folder / 'iter_1.pth').exists())
    assert calls(run) == '|'
    assert not (run.folder / 'iter_1.tmp').exists()


def test_a_run_of_another_process_is_waited_for(tmp_path):
    run, other = make_run(tmp_path), make_run(tmp_path, seed=3)
    run.folder.mkdir(parents=True)
    with (run.folder / '.lock').open('a') as lock:
        holder = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1.5)'], pass_fds=(lock.fileno(),))
        fcntl.flock(lock, fcntl.LOCK_EX)
    start = time.monotonic()
    assert go([run, other]).ended == [('kd, seed 3', 'finished', True), ('kd, seed 0', 'finished', True)]
    assert time.monotonic() - start > 1.0
    assert holder.wait() == 0


def test_the_lock_lives_as_long_as_the_run(tmp_path):
    run = make_run(tmp_path, seed=2)
    seen = []

    def when(jobs):
        if (run.folder / 'iter_1.pth').exists():
            with locked(run.folder) as lock:
                seen.append(lock)
        return bool(seen)

    with pytest.raises(KeyboardInterrupt):
        go([run], stop_when=when)
    assert seen == [None]
    with locked(run.folder) as lock:
        assert lock is not None


def test_fresh_keeps_the_old_run_and_does_not_touch_one_that_trains(tmp_path):
    run = make_run(tmp_path)
    pool.set_run_aside(run)
    go([run])
    pool.set_run_aside(run)
    assert read_record(run).status == 'missing'
    assert len(list((tmp_path / 'kd').glob('seed-0.previous-*'))) == 1
    go([run])
    with locked(run.folder), pytest.raises(ConfigError, match='--fresh: expected no process in'):
        pool.set_run_aside(run)


def test_side_by_side_with_gpus_shared_out(tmp_path):
    runs = [make_run(tmp_path, seed=seed) for seed in (0, 3, 4, 5)]
    ending = go(runs, Settings(jobs=2, threads=1, gpus=('6', '7')))
    assert ending.most == 2
    assert {(run.folder / 'gpus').read_text() for run in runs} <= {'6', '7'}
    assert {(runs[0].folder / 'gpus').read_text(), (runs[1].folder / 'gpus').read_text()} == {'6', '7'}
    assert {read_record(run).jobs for run in runs} == {2}

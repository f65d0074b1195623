"""Runs as jobs: with submitit's local executor, and with stand-ins of Slurm's commands."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment import cluster, processes
from eakd_det.lab.experiment.arguments import parse_arguments, settings_of
from eakd_det.lab.experiment.cluster import SUBMITTED_NAME, execute_on_cluster
from eakd_det.lab.experiment.processes import Settings
from eakd_det.lab.experiment.records import read_record
from eakd_det.lab.experiment.runs import Run

pytest.importorskip('submitit')
SLURM = Settings(jobs=2, threads=1, executor='slurm', executor_options={'slurm_partition': 'gpu'})


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Stand-ins of Slurm's commands: jobs are accepted, and stay in the queue."""
    for name, script in {
        'srun': 'exit 1',
        'sbatch': f'cp "$1" {tmp_path}/sent; echo x >> {tmp_path}/calls; echo "Submitted batch job 7"',
        'sacct': r'printf "JobID|State|NodeList\n7_0|PENDING|\n7_1|RUNNING|\n"',
    }.items():
        path = tmp_path / 'bin' / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\n{script}\n')
        path.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}/bin{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setattr(cluster, '_POLL_SECONDS', 0.01)
    return tmp_path


def make_run(root: Path, seed: int) -> Run:
    cfg = Config(dict(model=dict(), train_dataloader=dict(batch_size=4)))
    return Run('kd', f'kd, seed {seed}', seed, root / 'kd' / f'seed-{seed}', cfg, 'f', 'train kd')


def submit_and_stop(root: Path) -> list[str]:
    """Submit two runs, look once, stop as by Ctrl-C, and return the jobs."""
    seen: list[str] = []

    def stop(jobs, waiting):
        seen.extend(job.handle.job_id for job in jobs)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_on_cluster([make_run(root, 0), make_run(root, 1)], SLURM, stop, lambda *_: None, root)
    return seen


def test_slurm_gets_one_array_job_and_the_next_call_finds_it_again(slurm):
    assert submit_and_stop(slurm / 'study') == ['7_0', '7_1']
    sent = (slurm / 'sent').read_text()
    assert '#SBATCH --array=0-1%2' in sent
    assert '#SBATCH --partition=gpu' in sent
    assert set(json.loads((slurm / 'study' / SUBMITTED_NAME).read_text()).values()) == {'7_0', '7_1'}

    assert submit_and_stop(slurm / 'study') == ['7_0', '7_1']
    assert (slurm / 'calls').read_text() == 'x\n'  # nothing was submitted twice


def test_a_job_that_ends_without_a_record_failed(slurm):
    root = slurm / 'study'
    submit_and_stop(root)
    (slurm / 'bin/sacct').write_text(
        '#!/bin/sh\nprintf "JobID|State|NodeList\\n7_0|OUT_OF_MEMORY|n1\\n7_1|NODE_FAIL|n2\\n"\n'
    )
    runs = [make_run(root, 0)]
    handle = cluster._submitit().SlurmJob(folder=root / 'cluster', job_id='7_0')
    record = cluster._record(cluster.ClusterJob(runs[0], handle, 0.0))
    assert (record.status, record.error) == ('failed', 'job 7_0 ended as OUT_OF_MEMORY; see its log')


def test_threads_are_those_of_a_node(slurm):
    args = parse_arguments(
        ['plan.py', '--executor', 'slurm', '--executor-options', 'cpus_per_task=8', '--processes', '2', '--jobs', '9']
    )
    assert settings_of(args) == Settings(9, 4, 2, (), 'slurm', {'cpus_per_task': 8})


def test_errors_are_one_line(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match='--gpus: expected --executor-options'):
        settings_of(parse_arguments(['plan.py', '--executor', 'local', '--gpus', '0']))
    wrong = Settings(executor='local', executor_options={'slurm_colour': 'red'})
    with pytest.raises(ConfigError, match=r'^--executor, --executor-options: .*colour'):
        execute_on_cluster([], wrong, lambda *_: None, lambda *_: None, tmp_path)
    if shutil.which('srun') is None:
        with pytest.raises(ConfigError, match='srun'):
            execute_on_cluster([], SLURM, lambda *_: None, lambda *_: None, tmp_path)


def test_a_job_trains_once_and_records_how_it_ended(tmp_path, monkeypatch):
    def command(run, config, resume, settings):
        return 'tests.test_lab.test_experiment.quick_training', [str(run.folder), str(run.seed)]

    monkeypatch.setattr(processes, '_command', command)
    good, bad = make_run(tmp_path, 0), make_run(tmp_path, 1)
    for run in (good, good, bad):
        cluster.ClusterTask(run, Settings(threads=1))()

    assert read_record(good).status == 'finished'
    assert (good.folder / 'calls').read_text() == '|'
    assert read_record(bad).error == 'exit status 1: data_root: no such folder'
    assert json.loads((bad.folder / 'record.json').read_text())['status'] == 'failed'


@pytest.mark.slow
def test_the_local_executor_makes_the_same_records_and_resumes(grid):
    """Teacher and student first, then what the teacher is for; a second call has nothing to do."""
    report, _ = grid.run('--executor', 'local', '--jobs', '2')
    runs = {run['arm']: run for run in report['runs']}
    assert {run['status'] for run in runs.values()} == {'finished'}
    assert report['teacher']['status'] == 'finished'
    jobs = list((grid.work_dir / 'cluster').glob('*_result.pkl'))
    assert len(jobs) == len(runs)

    as_processes, _ = grid.run('--jobs', '2')
    assert [run['metrics'] for run in as_processes['runs']] == [run['metrics'] for run in report['runs']]
    assert len(list((grid.work_dir / 'cluster').glob('*_result.pkl'))) == len(jobs)

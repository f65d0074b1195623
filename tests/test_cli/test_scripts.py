"""The files in ``tools/`` as a shell runs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from eakd_det.evaluation import EvalRecord
from eakd_det.paths import tools_dir
from tests import tiny_data
from tests.test_cli.conftest import Workspace


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ('PYTHONPATH', 'LOCAL_RANK')}
    environment.update(OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', PYTHON=sys.executable, **variables)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=500)


def error_lines(process: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in process.stderr.splitlines() if line.startswith('Error: ')]


@pytest.mark.slow
def test_training_and_testing_from_any_folder(workspace: Workspace, teacher_ckpt: str) -> None:
    config = Path(workspace.write(tiny_data.distill_config(workspace.data, teacher_ckpt, iters=1))).name

    training = run(sys.executable, str(tools_dir() / 'train.py'), config, '--work-dir', 'work', cwd=workspace.root)
    assert training.returncode == 0, training.stderr
    assert (workspace.work_dir / 'iter_1.pth').is_file()

    relative = os.path.relpath(tools_dir() / 'test.py', workspace.root)
    command = [sys.executable, relative, config, '--teacher', '--work-dir', 'work']
    testing = run(*command, cwd=workspace.root)
    assert testing.returncode == 0, testing.stderr
    assert '| teacher |' in testing.stdout
    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [(entry.subject, entry.split) for entry in record.entries] == [('student', 'val'), ('teacher', 'test')]


def test_a_users_error_is_one_line_and_status_1(workspace: Workspace) -> None:
    cfg = tiny_data.student_config(workspace.data)
    tiny_data.annotation_file(workspace.data, 'val').write_text('')
    process = run(sys.executable, str(tools_dir() / 'train.py'), workspace.write(cfg), cwd=workspace.root)

    assert process.returncode == 1
    assert len(error_lines(process)) == 1
    assert 'val_dataloader.dataset.ann_file: ' in error_lines(process)[0]
    assert 'instances_val.json is empty' in error_lines(process)[0]
    assert len(error_lines(process)) == 1
    assert 'Traceback' not in process.stderr


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


@pytest.mark.slow
def test_two_processes_distil_together(workspace: Workspace, teacher_ckpt: str) -> None:
    """Without a GPU they talk by gloo. DDP would stop at a parameter that gets no gradient."""
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=2)
    cfg.custom_hooks = [dict(type='eakd_det.CocoEvalHook', teacher=True)]
    script = str(tools_dir() / 'dist_train.sh')
    flags = ['--work-dir', str(workspace.work_dir), '--cfg-options', 'train_cfg.val_interval=2']

    process = run(script, workspace.write(cfg), '2', *flags, cwd=workspace.root, PORT=free_port())

    assert process.returncode == 0, process.stderr[-3000:]
    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [(entry.subject, entry.iteration) for entry in record.entries] == [('teacher', None), ('student', 2)]
    assert record.runs[0]['processes'] == 2


@pytest.mark.slow
def test_an_error_of_all_processes_is_printed_once(workspace: Workspace) -> None:
    config = workspace.write(tiny_data.distill_config(workspace.data, 'no/such.pth'))
    process = run(str(tools_dir() / 'dist_train.sh'), config, '2', cwd=workspace.root, PORT=free_port())

    assert process.returncode != 0
    assert len(error_lines(process)) == 1, process.stderr
    assert 'model.teacher_ckpt: ' in error_lines(process)[0]


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_the_slurm_scripts_hand_on_what_they_get(tmp_path: Path, tool: str) -> None:
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    script = str(tools_dir() / f'slurm_{tool}.sh')
    variables = dict(PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='4', GPUS_PER_NODE='2', SRUN_ARGS='--quiet --mem=1G')

    process = run(script, 'gpu', 'job', 'a config.py', 'there', '--cfg-options', 'a=[1, 2]', cwd=tmp_path, **variables)

    assert process.returncode == 0, process.stderr
    expected = ['a config.py', *(['--work-dir=there'] if tool == 'train' else ['there']), '--launcher=slurm']
    got = process.stdout.splitlines()
    assert got[-len(expected) - 2 :] == [*expected, '--cfg-options', 'a=[1, 2]']
    assert {'-p', 'gpu', '--ntasks=4', '--ntasks-per-node=2', '--quiet', '--mem=1G'} <= set(got)


@pytest.mark.parametrize('name', ['dist_train', 'dist_test', 'slurm_train', 'slurm_test'])
def test_too_few_arguments_show_the_usage(tmp_path: Path, name: str) -> None:
    process = run(str(tools_dir() / f'{name}.sh'), 'config.py', cwd=tmp_path)
    assert process.returncode == 2
    assert f'tools/{name}.sh ' in process.stderr

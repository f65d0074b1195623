from __future__ import annotations

import doctest

import pytest

from eakd_det.cli import arguments, config_keys, detectors, failures
from eakd_det.errors import ConfigError


def fail() -> None:
    raise ConfigError('key: expected\n  one thing, but got another')


def test_an_error_becomes_one_line_and_status_1(capsys: pytest.CaptureFixture) -> None:
    assert failures.run_tool(fail) == 1
    assert capsys.readouterr().err == 'Error: key: expected one thing, but got another\n'
    assert failures.run_tool(lambda: None) == 0


def test_other_errors_pass(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError):
        failures.run_tool(lambda: 1 / 0)


def test_an_error_of_another_process_alone_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv('RANK', '3')
    waited: list[float] = []
    monkeypatch.setattr(failures.time, 'sleep', waited.append)
    assert failures.run_tool(fail) == 1
    assert capsys.readouterr().err == 'Error: [rank 3] key: expected one thing, but got another\n'
    assert waited == [failures._GRACE_SECONDS]


@pytest.mark.parametrize(('name', 'rank'), [('RANK', 2), ('SLURM_PROCID', 1), ('OMPI_COMM_WORLD_RANK', 7)])
def test_the_rank_is_the_launchers(monkeypatch: pytest.MonkeyPatch, name: str, rank: int) -> None:
    assert failures.process_rank() == 0
    monkeypatch.setenv(name, str(rank))
    assert failures.process_rank() == rank


def test_an_error_of_a_data_loaders_worker_is_its_own_line() -> None:
    """As torch.utils.data passes it on: the class of the error, its text replaced by the worker's traceback."""
    text = (
        'Caught ConfigError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n'
        '  File "worker.py", line 1, in loop\neakd_det.errors.ConfigError: ann_file: no such file\n'
    )
    assert failures.one_line(ConfigError(text)) == 'ann_file: no such file'


@pytest.mark.parametrize('module', [arguments, config_keys, detectors, failures])
def test_examples_in_the_docstrings(module: object) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0

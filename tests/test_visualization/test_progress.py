"""The progress display, driven as MMEngine's runner drives a hook."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from eakd_det.visualization.progress import ProgressHook, _clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drive(hook: ProgressHook, losses: list[float]) -> None:
    runner = SimpleNamespace(max_iters=len(losses), iter=0)
    hook.before_train(runner)
    for step, loss in enumerate(losses):
        runner.iter = step
        hook.after_train_iter(runner, step, outputs={'loss': loss, 'loss_cls': 7.0})
    hook.before_val(runner)
    hook.after_train(runner)


def test_lines_in_a_file():
    stream = io.StringIO()
    drive(ProgressHook('student', {'loss': 'loss'}, stream, every_seconds=0), [2.0, 2.0, 2.0, 2.0])
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith('student')
    assert '1/4 it' in lines[0]
    assert '25%' in lines[0]
    assert 'left' in lines[0]
    assert lines[0].endswith('loss 2.000')
    assert '100%' in lines[3]


def test_few_lines_and_always_the_last():
    stream = io.StringIO()
    drive(ProgressHook('student', {'loss': 'loss'}, stream, every_seconds=1000), [2.0] * 50)
    (line,) = stream.getvalue().splitlines()
    assert '50/50 it' in line


def test_losses_are_smoothed():
    stream = io.StringIO()
    drive(ProgressHook('student', {'loss': 'loss'}, stream, every_seconds=0), [1.0, 2.0])
    assert stream.getvalue().splitlines()[1].endswith('loss 1.050')


def test_values_that_are_not_logged_are_left_out():
    stream = io.StringIO()
    drive(ProgressHook('student', {'distill.loss_kd': 'KD', 'loss': 'loss'}, stream, every_seconds=0), [2.0])
    assert 'KD' not in stream.getvalue()


def test_one_live_line_on_a_terminal(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    stream = Terminal()
    drive(ProgressHook('student', {'loss': 'loss'}, stream), [2.0] * 10)
    shown = stream.getvalue()
    assert 'student' in shown
    assert '100%' in shown
    assert shown.count('\n') == 1, 'the live line is rewritten in place, and ended once'


def test_terminal_is_given_back_after_a_failure(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    stream = Terminal()
    hook = ProgressHook('student', {'loss': 'loss'}, stream)
    hook.before_train(SimpleNamespace(max_iters=5, iter=0))
    hook.close()
    assert stream.getvalue().endswith('\x1b[?25h'), 'the cursor stays hidden'
    hook.close()  # a second time does no harm


@pytest.mark.parametrize(('seconds', 'text'), [(4.6, '00:05'), (75, '01:15'), (3599, '59:59'), (5400, '1.5 h')])
def test_remaining_time(seconds, text):
    assert _clock(seconds) == text

from __future__ import annotations

import io

from eakd_det.lab.experiment.screen import Clock, Screen, outcome, span
from tests.test_lab.test_experiment.conftest import record


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_written_over(monkeypatch):
    monkeypatch.setenv('TERM', 'xterm')
    stream = Terminal()
    screen = Screen(stream)
    screen.show('one')
    screen.show('two [of] two')
    screen.say('lasting')
    screen.close()
    written = stream.getvalue()
    assert written.count('one') == 1
    assert 'two [of] two' in written, 'brackets are no markup'
    erased = '\x1b[2K'
    assert erased in written[written.index('one') : written.index('two')]
    assert 'lasting\n' in written
    assert written.rindex(erased) > written.rindex('two')


def test_elsewhere_lines_come_rarely():
    stream = io.StringIO()
    screen = Screen(stream, every_seconds=1000)
    screen.show('one')
    screen.show('two')
    screen.say('lasting')
    assert stream.getvalue() == 'one\nlasting\n'


def test_the_time_left():
    clock = Clock(jobs=2)
    assert clock.left([], 3) is None
    assert clock.left([(30.0, 0.5)], 2) == (30 + 2 * 60) / 2
    clock.ended(100.0)
    assert clock.left([(30.0, 0.5)], 0) == 30.0
    assert clock.left([(0.0, 0.0)], 1) == 100.0


def test_words():
    assert (span(5), span(75), span(7260), span(200000)) == ('0:05', '1:15', '2:01 h', '2.3 d')
    run = type('Run', (), dict(title='kd, seed 0'))
    assert outcome(run, record('kd', 0, 0.25)) == 'kd, seed 0: AP 25.0  trained in 1:40'
    assert outcome(run, record('kd', 0, status='failed', error='no data')) == 'kd, seed 0: failed, no data'

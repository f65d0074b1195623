from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from eakd_det.files import is_out_of_space, remove_unfinished, write_atomically
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.proposal_table import _ARRAYS, ProposalTable
from eakd_det.lab.experiment.watch_hook import PROGRESS_NAME, WatchHook


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'a.pth'
    write_atomically(path, b'old')

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left') as caught:
        write_atomically(path, b'new')

    assert caught.value.filename == str(path)
    assert is_out_of_space(caught.value)
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']


def test_whoever_reads_meanwhile_sees_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'a.pth'
    write_atomically(path, b'old')
    seen = []
    replace = os.replace
    monkeypatch.setattr(os, 'replace', lambda *paths: (seen.append(path.read_bytes()), replace(*paths)))
    write_atomically(path, b'new')
    assert (seen, path.read_bytes()) == ([b'old'], b'new')


def _table(path: Path, number: float) -> None:
    rows = np.full(1, number)
    arrays = dict.fromkeys(_ARRAYS, rows)
    ProposalTable(**arrays).save(path)  # type: ignore[arg-type]


def _figure(path: Path, number: float) -> None:
    figure = Figure()
    figure.subplots().plot([0, number])
    save_figure(figure, {}, path.parent, path.stem)


def _progress(path: Path, number: float) -> None:
    runner = SimpleNamespace(work_dir=path.parent, max_iters=9)
    WatchHook()._write(runner, int(number))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('name', 'write'), [('table.npz', _table), ('figure.png', _figure), (PROGRESS_NAME, _progress)]
)
def test_what_the_package_writes_is_whole_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable[[Path, float], None]
) -> None:
    write(tmp_path / name, 1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        write(tmp_path / name, 2)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_permissions_are_those_of_any_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / 'a', b'')
    (tmp_path / 'b').touch()
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'b').stat().st_mode


def test_only_what_is_unfinished_is_removed(tmp_path: Path) -> None:
    for name in ('a.pth', '.a.pth.12.tmp', '.b.json.12.tmp', '.hidden', 'c.tmp'):
        (tmp_path / name).touch()
    assert remove_unfinished(tmp_path, '*.pth') == ['.a.pth.12.tmp']
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.b.json.12.tmp', '.hidden', 'a.pth', 'c.tmp']

"""A checkpoint that would run code, at every place where a checkpoint is loaded."""

from __future__ import annotations

import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from eakd_det.checkpoint import load_checkpoint_file
from eakd_det.errors import ConfigError
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error

Seen = Callable[[object], None]


class Calls:
    """Call a function when unpickled."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


@pytest.fixture
def malicious(trained: Workspace, tmp_path: Path) -> tuple[str, Path]:
    """A training checkpoint with one malicious object, and the folder that it would make."""
    content = torch.load(trained.work_dir / 'iter_4.pth', weights_only=True)
    content['meta']['note'] = Calls(os.mkdir, str(tmp_path / 'ran'))
    torch.save(content, tmp_path / 'malicious.pth')
    return str(tmp_path / 'malicious.pth'), tmp_path / 'ran'


def teacher(workspace: Workspace, path: str) -> int:
    return workspace.train(workspace.write(tiny_data.distill_config(workspace.data, path)))


def student_init_cfg(workspace: Workspace, path: str) -> int:
    cfg = tiny_data.student_config(workspace.data)
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    return workspace.train(workspace.write(cfg))


def backbone_init_cfg(workspace: Workspace, path: str) -> int:
    cfg = tiny_data.student_config(workspace.data)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=path)
    return workspace.train(workspace.write(cfg))


def load_from(workspace: Workspace, path: str) -> int:
    config = workspace.write(tiny_data.student_config(workspace.data))
    return workspace.train(config, '--cfg-options', f'load_from={path}')


def resume(workspace: Workspace, path: str) -> int:
    return workspace.train(workspace.write(tiny_data.student_config(workspace.data)), '--resume', path)


def resume_the_latest(workspace: Workspace, path: str) -> int:
    workspace.work_dir.mkdir()
    (workspace.work_dir / 'last_checkpoint').write_text(path)
    return workspace.train(workspace.write(tiny_data.student_config(workspace.data)), '--resume')


def tools_test(workspace: Workspace, path: str) -> int:
    return workspace.test(workspace.write(tiny_data.student_config(workspace.data)), path)


def tools_test_teacher(workspace: Workspace, path: str) -> int:
    return workspace.test(workspace.write(tiny_data.distill_config(workspace.data, path)), '--teacher')


USES = {
    'teacher': teacher,
    'student (init_cfg)': student_init_cfg,
    'backbone (init_cfg)': backbone_init_cfg,
    'load_from': load_from,
    '--resume FILE': resume,
    '--resume': resume_the_latest,
    'tools/test.py': tools_test,
    'tools/test.py --teacher': tools_test_teacher,
}


@pytest.mark.fault(
    'a checkpoint that calls os.mkdir when unpickled, for {use}', expected='one line that names it, and nothing runs'
)
@pytest.mark.parametrize('use', USES)
def test_a_malicious_checkpoint(
    use: str,
    malicious: tuple[str, Path],
    workspace: Workspace,
    capsys: pytest.CaptureFixture,
    seen: Seen,
) -> None:
    path, trace = malicious

    assert USES[use](workspace, path) == 1

    error = one_error(capsys.readouterr())
    assert f'{path} holds objects that could run code when they are loaded, and was not read' in error
    assert f'({os.mkdir.__module__}.mkdir)' in error
    assert not trace.exists()
    seen(error.replace(str(trace.parent), '.'))

    torch.load(path, weights_only=False)  # proves that the file is malicious
    assert trace.exists()


def program(path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(str(path))


def tar_file(path: Path) -> None:
    with tarfile.open(path, 'w') as archive:
        for name in ('sys_info', 'pickle', 'storages', 'tensors'):
            archive.addfile(tarfile.TarInfo(name))


def tar_file_that_ends_as_a_zip(path: Path) -> None:
    tar_file(path)
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr('archive/data.pkl', b'')


PROGRAMS = {
    'a TorchScript program': (program, 'is a TorchScript program'),
    "a tar file of torch's first format": (tar_file, "is a tar file of torch's first format"),
    'a tar file that ends as a zip file': (tar_file_that_ends_as_a_zip, "is a tar file of torch's first format"),
}


@pytest.mark.fault('{kind} as teacher', expected='one line, and it is not read')
@pytest.mark.parametrize('kind', PROGRAMS)
def test_other_formats(
    kind: str, workspace: Workspace, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    path = workspace.root / 'program.pth'
    make, message = PROGRAMS[kind]
    make(path)
    monkeypatch.setattr(torch, 'load', lambda *_, **__: pytest.fail('it was read'))

    assert teacher(workspace, str(path)) == 1

    error = one_error(capsys.readouterr())
    assert f'program.pth {message}; it was not read' in error
    seen(error.replace(str(workspace.root), '.'))


def _protocol_4(content: Any, path: Path) -> None:
    torch.save(content, path, pickle_protocol=4)


def _legacy_format(content: Any, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def _bare_pickle(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize('write', [_protocol_4, _legacy_format, _bare_pickle])
def test_every_format_names_the_object(write: Callable[[Any, Path], None], tmp_path: Path) -> None:
    path = tmp_path / 'malicious.pth'
    write(dict(state_dict=dict(weight=torch.ones(2)), meta=Calls(os.mkdir, str(tmp_path / 'ran'))), path)

    with pytest.raises(ConfigError, match=r'key: .*malicious\.pth holds objects that could run code .*posix\.mkdir'):
        load_checkpoint_file(path, 'key')

    assert not (tmp_path / 'ran').exists()

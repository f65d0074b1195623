from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from eakd_det.checkpoint import load_checkpoint_file, source
from eakd_det.errors import ConfigError


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[tuple[str, Path, list[str]]]:
    """A web server of a folder: its address, the folder, the paths that were asked for."""
    folder = tmp_path / 'served'
    folder.mkdir()
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    for proxy in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    monkeypatch.setattr(source, '_WEB', ('https', 'http'))  # the server has no certificate
    previous = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / 'hub'))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{web.server_port}', folder, asked
        web.shutdown()
    torch.hub.set_dir(previous)


def test_a_url_is_downloaded_once(server: tuple[str, Path, list[str]]) -> None:
    address, folder, asked = server
    torch.save(dict(state_dict={'a': torch.ones(2)}), folder / 'detector.pth')

    for _ in range(2):
        content = load_checkpoint_file(f'{address}/detector.pth', 'model.teacher_ckpt')
        assert torch.equal(content['state_dict']['a'], torch.ones(2))
    assert asked == ['/detector.pth']


def test_a_url_that_is_not_there(server: tuple[str, Path, list[str]]) -> None:
    address, _, _ = server
    with pytest.raises(ConfigError, match=r'model.teacher_ckpt: could not download http.*no\.pth.*404') as caught:
        load_checkpoint_file(f'{address}/no.pth', 'model.teacher_ckpt')
    assert '\n' not in str(caught.value)


def test_a_broken_download_names_the_file_to_delete(server: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    address, folder, _ = server
    (folder / 'detector.pth').write_bytes(b'PK\x03\x04 cut off')
    with pytest.raises(ConfigError, match=r'truncated') as caught:
        load_checkpoint_file(f'{address}/detector.pth', 'key')
    assert str(tmp_path / 'hub' / 'checkpoints' / 'detector.pth') in str(caught.value)


def test_names_in_openmmlabs_lists(server: tuple[str, Path, list[str]], monkeypatch: Any) -> None:
    address, folder, _ = server
    torch.save({'fc.weight': torch.ones(2)}, folder / 'tv.pth')
    torch.save(dict(state_dict={'backbone.conv': torch.ones(1), 'head.fc': torch.ones(1)}), folder / 'cls.pth')
    monkeypatch.setitem(source._MODEL_LISTS, 'torchvision', lambda: {'resnet18': f'{address}/tv.pth'})
    monkeypatch.setitem(source._MODEL_LISTS, 'mmcls', lambda: {'mv2': f'{address}/cls.pth'})

    assert list(load_checkpoint_file('torchvision://resnet18')) == ['fc.weight']
    assert list(load_checkpoint_file('mmcls://mv2')['state_dict']) == ['conv']
    with pytest.raises(
        ConfigError, match='key: expected a model that torchvision lists, but got torchvision://renset18'
    ):
        load_checkpoint_file('torchvision://renset18', 'key')


def test_the_real_lists_know_what_the_configs_use() -> None:
    assert source._listed_url('torchvision', 'resnet18', '', '').startswith('https://')
    assert source._listed_url('open-mmlab', 'detectron2/resnet50_caffe', '', '').startswith('https://')
    assert source._listed_url('mmcls', 'mobilenet_v2', '', '').startswith('https://')


def test_an_unknown_scheme() -> None:
    with pytest.raises(ConfigError, match=r'key: expected a file, a https URL or one of .*, but got s3://b/c\.pth'):
        load_checkpoint_file('s3://b/c.pth', 'key')


def test_an_address_without_encryption_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r'key: expected an address that begins with https://, but got http://a\.b/c\.pth'
    ):
        load_checkpoint_file('http://a.b/c.pth', 'key')


def test_a_name_with_a_hash_is_held_to_it(server: tuple[str, Path, list[str]], tmp_path: Path) -> None:
    address, folder, asked = server
    torch.save(dict(state_dict={'a': torch.ones(2)}), folder / 'detector.pth')
    digest = hashlib.sha256((folder / 'detector.pth').read_bytes()).hexdigest()
    good, bad = f'detector_20200130-{digest[:8]}.pth', 'detector_20200130-0123abcd.pth'
    for name in (good, bad):
        shutil.copy(folder / 'detector.pth', folder / name)

    assert torch.equal(load_checkpoint_file(f'{address}/{good}')['state_dict']['a'], torch.ones(2))
    with pytest.raises(ConfigError, match=r'key: could not download .*invalid hash value \(expected "0123abcd", got'):
        load_checkpoint_file(f'{address}/{bad}', 'key')
    assert asked == [f'/{good}', f'/{bad}']
    assert [path.name for path in (tmp_path / 'hub' / 'checkpoints').iterdir()] == [good]  # nothing to be found later


@pytest.mark.parametrize('name', ['best.pth', ''])
def test_a_missing_checkpoint_names_its_neighbours(tmp_path, name):
    for index, file in enumerate(('iter_2.pth', 'student.pth', 'notes.txt')):
        (tmp_path / file).touch()
        os.utime(tmp_path / file, (index, index))
    with pytest.raises(ConfigError, match=r'; there are iter_2\.pth, student\.pth$'):
        source.local_checkpoint_path(str(tmp_path / name), 'model.teacher_ckpt')

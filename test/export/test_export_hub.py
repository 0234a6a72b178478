"""Checkpoints by their name on the hub: from the cache, over HTTP, and errors."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kimi_export import CheckpointError, HubError, export_model
from kimi_export.checkpoint import open_checkpoint
from kimi_export.hub import Origin, origin

pytest.importorskip('huggingface_hub', reason='make setup brings it')
COMMIT, REPOSITORY = '0123456789abcdef0123456789abcdef01234567', 'acme/moon'


@pytest.fixture
def cached(make_checkpoint, tmp_path):
    """A hub cache as huggingface_hub lays it out, holding one repository."""
    cache = tmp_path / 'hub'
    home = cache / 'models--acme--moon'
    snapshot = home / 'snapshots' / COMMIT
    for folder in (home / 'blobs', home / 'refs', snapshot):
        folder.mkdir(parents=True)
    (home / 'refs' / 'main').write_text(COMMIT)
    for file in make_checkpoint().iterdir():
        blob = home / 'blobs' / f'{len(file.name):040d}'
        blob.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(f'../../blobs/{blob.name}')
    return cache


def kimi_export(*arguments, cache, **environment):
    """Run the command in a process: the library reads its settings at import time."""
    settings = {'HF_HUB_CACHE': str(cache), 'HF_TOKEN_PATH': str(cache / 'no_token')}
    return subprocess.run(
        [sys.executable, '-m', 'kimi_export', *map(str, arguments)],
        env=os.environ | settings | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_cached_repository_needs_no_network(cached, tmp_path):
    done = kimi_export('hub:acme/moon', tmp_path / 'out', cache=cached, HF_HUB_OFFLINE='1')
    assert done.returncode == 0, done.stderr
    description = json.loads((tmp_path / 'out' / 'model.json').read_text())
    assert description['source']['repository'] == REPOSITORY
    assert description['source']['revision'] == COMMIT
    assert description['name'] == 'moon'


@pytest.mark.parametrize('name', ['hub:acme/sun', 'hub:acme/moon@v2'])
def test_offline_error_names_the_repository(cached, tmp_path, name):
    done = kimi_export(name, tmp_path / 'out', cache=cached, HF_HUB_OFFLINE='1')
    assert done.returncode == 1
    repository, _, revision = name[4:].partition('@')
    for said in (f'{repository}@{revision or "main"}', str(cached), 'HF_HUB_OFFLINE is set'):
        assert said in done.stderr
    assert f'hf download {repository} --revision {revision or "main"}' in done.stderr
    assert not (tmp_path / 'out').exists()


def test_unreachable_hub_is_reported(cached, tmp_path):
    nowhere = {'HF_ENDPOINT': 'http://127.0.0.1:9', 'HF_HUB_OFFLINE': '0'}
    done = kimi_export('hub:acme/sun', tmp_path / 'out', cache=cached, **nowhere)
    assert done.returncode == 1
    assert 'acme/sun@main' in done.stderr and 'is not reachable' in done.stderr


def test_a_snapshot_folder_is_read_through_its_links(cached, tmp_path):
    snapshot = cached / 'models--acme--moon' / 'snapshots' / COMMIT
    out = export_model(snapshot, tmp_path / 'out')
    source = json.loads((out / 'model.json').read_text())['source']
    assert source['repository'] == REPOSITORY and source['files'] == ['model.safetensors']
    assert open_checkpoint(snapshot / 'model.safetensors').name == 'moon'
    (snapshot / 'model.safetensors').resolve().unlink()
    with pytest.raises(CheckpointError, match='model.safetensors'):
        open_checkpoint(snapshot)


def test_only_snapshots_have_an_origin(tmp_path):
    cache = tmp_path / 'models--a--b' / 'snapshots'
    assert origin(cache / COMMIT) == Origin('a/b', COMMIT)
    for folder in (cache / 'main', tmp_path / COMMIT, tmp_path / 'x' / 'snapshots' / COMMIT):
        assert origin(folder) is None


@pytest.mark.parametrize('name', ['hub:', 'hub:moon', 'hub:a/b/c', 'hub:a/b@', 'hub:../../x'])
def test_misspelled_names_are_refused(name):
    with pytest.raises(HubError, match='owner/name@revision'):
        open_checkpoint(name)


def test_missing_huggingface_hub_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(HubError, match=r'kimi_ros\[hub\]'):
        open_checkpoint('hub:acme/moon')


@pytest.fixture
def server(make_checkpoint):
    """A hub with one repository, on this machine; `.asked` are the files that were fetched."""
    files = {file.name: file.read_bytes() for file in make_checkpoint(name='served').iterdir()}
    files |= {'README.md': b'words', 'handler.py': b'raise SystemExit'}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split('?')[0]
            if path == f'/api/models/{REPOSITORY}/revision/main':
                siblings = [{'rfilename': name} for name in files]
                self.answer(json.dumps({'id': REPOSITORY, 'sha': COMMIT, 'siblings': siblings}))
            elif path == f'/api/models/{REPOSITORY}/tree/{COMMIT}':
                tree = [
                    {'type': 'file', 'path': n, 'size': len(b), 'oid': f'{len(b):040d}'}
                    for n, b in files.items()
                ]
                self.answer(json.dumps(tree))
            elif path.startswith(f'/{REPOSITORY}/resolve/{COMMIT}/'):
                name = path.rsplit('/', 1)[1]
                server.asked.add(name)
                self.answer(files[name], ETag=f'"{len(files[name]):040d}"')
            elif path.startswith(f'/api/models/{REPOSITORY}/'):
                self.answer('{"error": "?"}', 404, **{'X-Error-Code': 'RevisionNotFound'})
            else:
                self.answer('{"error": "?"}', 404, **{'X-Error-Code': 'RepoNotFound'})

        do_HEAD = do_GET

        def answer(self, body, status=200, **headers):
            body = body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            for key, value in {'X-Repo-Commit': COMMIT, **headers}.items():
                self.send_header(key, value)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            if self.command == 'GET':
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Hub)
    server.asked = set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_only_needed_files_are_downloaded(server, tmp_path):
    hub = {'HF_ENDPOINT': f'http://127.0.0.1:{server.server_port}', 'HF_HUB_OFFLINE': '0'}
    done = kimi_export('hub:acme/moon', tmp_path / 'out', cache=tmp_path / 'hub', **hub)
    assert done.returncode == 0, done.stderr
    assert server.asked == {'model.safetensors', 'config.json', 'tokenizer.json'}
    source = json.loads((tmp_path / 'out' / 'model.json').read_text())['source']
    assert source['revision'] == COMMIT
    for name, said in (
        ('hub:acme/moon@v9', "acme/moon has no revision 'v9'"),
        ('hub:acme/sun', 'acme/sun is not on the hub, or is private'),
    ):
        done = kimi_export(name, tmp_path / 'none', cache=tmp_path / 'hub', **hub)
        assert done.returncode == 1 and said in done.stderr

"""The cache of the nano model: exported once, again if damaged, clear errors."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from kimi_ros.vlm import VisionLanguageModel, nano
from kimi_ros.vlm.errors import ModelFolderError


@pytest.fixture
def checkpoint(golden_checkpoint, tmp_path, monkeypatch):
    """The golden checkpoint in place of nano, and a separate cache."""
    folder = tmp_path / 'checkpoint'
    folder.mkdir()
    for name in ('config.json', 'tokenizer.json', 'model.safetensors'):
        shutil.copy(golden_checkpoint / name, folder)
    monkeypatch.setenv('KIMI_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setattr(nano, 'share', lambda relative: folder)
    return folder


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv('KIMI_CACHE', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert nano.cache_folder() == tmp_path / 'kimi_ros'
    monkeypatch.setenv('KIMI_CACHE', str(tmp_path / 'mine'))
    assert nano.cache_folder() == tmp_path / 'mine'
    monkeypatch.delenv('KIMI_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', '')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert nano.cache_folder() == tmp_path / '.cache' / 'kimi_ros'


def test_concurrent_processes_export_once(checkpoint):
    # A flock belongs to the open file, so threads can replace processes here.
    with ThreadPoolExecutor() as pool:
        folders = set(pool.map(lambda _: nano.export_once(), range(3)))
    (folder,) = folders
    written = (folder / 'model.json').stat().st_mtime_ns
    assert nano.export_once() == folder
    assert (folder / 'model.json').stat().st_mtime_ns == written
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f'{folder.name}.lock'}


def test_damaged_export_is_repeated(checkpoint):
    folder = nano.export_once()
    (folder / 'weights.bin').write_bytes(b'cut short')
    with VisionLanguageModel.load('nano', device='cpu', threads=1) as model:
        assert 'query' in model.tasks


def test_export_that_another_process_repaired_is_kept(checkpoint):
    folder = nano.export_once()
    written, tries = (folder / 'model.json').stat().st_ino, []

    def repaired_at_second_sight(path):
        tries.append(path)
        if len(tries) == 1:
            raise ModelFolderError('damaged')
        return path

    assert nano.load_nano(repaired_at_second_sight) == folder
    assert (folder / 'model.json').stat().st_ino == written


def test_other_checkpoint_is_another_export(checkpoint):
    before = nano._key(checkpoint)
    with (checkpoint / 'config.json').open('a') as stream:
        stream.write('\n')
    assert nano._key(checkpoint) != before


def test_failing_export_reports_the_reason(checkpoint):
    (checkpoint / 'model.safetensors').write_bytes(b'no tensors')
    with pytest.raises(ModelFolderError, match=r'could not be exported.*safetensors'):
        VisionLanguageModel.load('nano')


def test_unwritable_cache(checkpoint, monkeypatch, tmp_path):
    (tmp_path / 'file').write_text('in the way')
    monkeypatch.setenv('KIMI_CACHE', str(tmp_path / 'file' / 'cache'))
    with pytest.raises(ModelFolderError, match='KIMI_CACHE'):
        VisionLanguageModel.load('nano')

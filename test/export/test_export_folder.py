"""The output folder and the command: complete or not written."""

import resource
import signal
import subprocess
import sys

import pytest

from kimi_export import FolderError, export_model
from kimi_export.cli import main
from kimi_ros.vlm.folder import read_folder


def command(checkpoint, out, **options):
    arguments = [sys.executable, '-m', 'kimi_export', str(checkpoint), str(out)]
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{'preexec_fn': hear_interrupts, **options},
    )


def hear_interrupts():
    # Background jobs of a shell ignore SIGINT, and so do their children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_earlier_export_is_replaced(make_checkpoint, tmp_path):
    out = export_model(make_checkpoint(), tmp_path / 'deep' / 'out')
    (out / 'left_over').write_text('')
    export_model(make_checkpoint(), out)
    assert read_folder(out).name == 'checkpoint'
    assert not (out / 'left_over').exists()
    assert [path.name for path in out.parent.iterdir()] == ['out']


def test_an_earlier_export_stays_when_the_new_one_fails(make_checkpoint, tmp_path):
    checkpoint = make_checkpoint()
    out = export_model(checkpoint, tmp_path / 'exports' / 'out')
    data = (checkpoint / 'model.safetensors').read_bytes()
    (checkpoint / 'model.safetensors').write_bytes(data[:-4] + b'\0\0\xc0\x7f')  # NaN
    assert main([str(checkpoint), str(out)]) == 1
    assert read_folder(out)
    assert [path.name for path in out.parent.iterdir()] == ['out']


def test_file_permissions_follow_the_umask(make_checkpoint, tmp_path):
    out = export_model(make_checkpoint(), tmp_path / 'out')
    plain = tmp_path / 'plain'
    plain.write_text('')
    assert {file.stat().st_mode for file in out.iterdir()} == {plain.stat().st_mode}


def test_other_folders_are_not_replaced(make_checkpoint, tmp_path):
    checkpoint = make_checkpoint()
    home = tmp_path / 'home'
    home.mkdir()
    (home / 'diary').write_text('mine')
    with pytest.raises(FolderError, match='nor a model folder'):
        export_model(checkpoint, home)
    with pytest.raises(FolderError, match='not a folder'):
        export_model(checkpoint, home / 'diary')
    with pytest.raises(FolderError, match='cannot be written'):
        export_model(checkpoint, home / 'diary' / 'out')
    assert (home / 'diary').read_text() == 'mine'
    (tmp_path / 'empty').mkdir()
    assert read_folder(export_model(checkpoint, tmp_path / 'empty'))


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupted(golden_checkpoint, tmp_path, number):
    process = command(golden_checkpoint, tmp_path / 'out')
    assert process.stdout.readline() == 'writing vision\n'
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == 'kimi-export: interrupted, nothing was written'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('room', [3_000, 300_000])
def test_disk_full(make_checkpoint, tmp_path, room):
    checkpoint = make_checkpoint()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    process = command(checkpoint, tmp_path / 'exports' / 'out', preexec_fn=limit)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert 'cannot be written' in errors and 'Traceback' not in errors
    assert list((tmp_path / 'exports').iterdir()) == []


def test_command_reports_progress(make_checkpoint, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main([str(make_checkpoint()), str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == 'writing vision' and printed[-1] == str(out)
    assert sum('largest error' in line for line in printed) == 11
    assert main([str(tmp_path / 'absent'), str(out)]) == 1
    assert capsys.readouterr().err.startswith('kimi-export: ')


def test_out_of_memory_is_reported(tmp_path, monkeypatch, capsys):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr('kimi_export.pipeline.export_model', exhausted)
    assert main([str(tmp_path), str(tmp_path / 'out')]) == 1
    assert 'not enough memory' in capsys.readouterr().err

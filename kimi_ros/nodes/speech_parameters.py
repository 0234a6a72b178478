"""The parameters of the node `speech`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kimi_ros.nodes.parameters import ParameterSpec
from kimi_ros.speech.recognizer import ENGINES

TRIGGERS = ('open', 'wake_word', 'push_to_talk')
OUTPUTS = ('loudspeaker', 'topic', 'none')
LANGUAGES = ('', 'en', 'zh')
_CHOICES = {
    'recognizer': ENGINES,
    'speech_language': LANGUAGES,
    'trigger': TRIGGERS,
    'output': OUTPUTS,
}

SPEECH_PARAMETERS = (
    ParameterSpec(
        'autostart',
        True,
        'configure and activate at startup; false: a lifecycle manager does it',
        read_only=True,
    ),
    ParameterSpec(
        'kimi', 'kimi', 'name of the node `kimi`, relative to the namespace', read_only=True
    ),
    ParameterSpec(
        'assist',
        'assist',
        'name of the node `assist`, which gets requests for guidance and narration where it runs',
        read_only=True,
    ),
    ParameterSpec(
        'source',
        'microphone',
        "source of sound: 'microphone', 'topic' (audio) or a .wav file",
        read_only=True,
    ),
    ParameterSpec(
        'microphone', '', 'its name, part of it, or its number; empty: default', read_only=True
    ),
    ParameterSpec(
        'recognizer',
        'auto',
        f'one of {", ".join(ENGINES)}; auto: the first model found, '
        'else pocketsphinx, which knows English commands only',
        read_only=True,
    ),
    ParameterSpec(
        'model',
        '',
        'folder of a Whisper or sherpa-onnx model; empty: the first that `kimi models` finds',
        read_only=True,
    ),
    ParameterSpec('threads', 1, 'threads of the recogniser', (1, 64), read_only=True),
    ParameterSpec(
        'speech_language', '', "language that is spoken: 'en', 'zh'; empty: either", read_only=True
    ),
    ParameterSpec(
        'skills', '', 'YAML file of the skills; empty: that of the package', read_only=True
    ),
    ParameterSpec(
        'things',
        [''],
        'names of things that are spoken of, beside common ones and those seen',
        read_only=True,
    ),
    ParameterSpec(
        'trigger',
        'open',
        f'what is meant for the robot: {", ".join(TRIGGERS)}; open: '
        'sentences that begin with a skill',
        read_only=True,
    ),
    ParameterSpec(
        'wake_words', ['hey kimi', '你好kimi'], 'with trigger wake_word: what begins a request'
    ),
    ParameterSpec(
        'accept', 0.55, 'confidence from which an instruction is not read back', (0.0, 1.0)
    ),
    ParameterSpec('reject', 0.2, 'confidence below which nothing is done', (0.0, 1.0)),
    ParameterSpec(
        'vad_threshold', 0.5, 'probability at which speech begins', (0.05, 0.99), read_only=True
    ),
    ParameterSpec(
        'hangover', 0.6, 's of silence that end an utterance', (0.1, 5.0), read_only=True
    ),
    ParameterSpec('max_utterance', 12.0, 's, longest utterance', (1.0, 28.0), read_only=True),
    ParameterSpec(
        'voice', '', 'folder of a piper or kokoro voice; empty: espeak-ng', read_only=True
    ),
    ParameterSpec(
        'output',
        'loudspeaker',
        f'where speech goes: {", ".join(OUTPUTS)}; topic: ~/audio',
        read_only=True,
    ),
    ParameterSpec(
        'loudspeaker', '', 'its name, part of it, or its number; empty: default', read_only=True
    ),
    ParameterSpec('speed', 1.0, 'of speech', (0.5, 2.0)),
    ParameterSpec(
        'barge_in',
        False,
        'listen while speaking, and fall silent when somebody speaks; '
        'needs a microphone that does not hear the loudspeaker',
    ),
    ParameterSpec(
        'echo_tail', 0.3, 's after its own voice in which the node stays deaf', (0.0, 3.0)
    ),
)


def validation_error(values: Mapping[str, Any]) -> str:
    """Return why these values of SPEECH_PARAMETERS are invalid, or ''."""
    for name, choices in _CHOICES.items():
        if name in values and values[name] not in choices:
            return f'{name} must be one of {", ".join(map(repr, choices))}, not {values[name]!r}'
    source = values.get('source', 'topic')
    if source not in ('microphone', 'topic') and not str(source).lower().endswith('.wav'):
        return f"source must be 'microphone', 'topic' or a .wav file, not {source!r}"
    if values.get('trigger') == 'wake_word' and not any(values.get('wake_words', ())):
        return 'trigger wake_word needs wake_words'
    if values.get('reject', 0.0) > values.get('accept', 1.0):
        return 'reject must not be above accept'
    return ''

"""The parameters of the node `assist`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kimi_ros.nodes.parameters import KIMI_PARAMETERS, ParameterSpec
from kimi_ros.speech.directions import UNITS
from kimi_ros.speech.narration import LEVELS

MODES = ('off', 'guide', 'narrate')
LANGUAGES = ('en', 'zh')
_CHOICES = {'mode': MODES, 'language': LANGUAGES, 'level': LEVELS, 'units': UNITS}
# Of the camera: the same as those of `kimi`.
_CAMERA = (
    'autostart',
    'image_transport',
    'depth_transport',
    'distortion',
    'base_frame',
    'camera_pose',
    'max_frame_age',
    'depth_tolerance',
    'jpeg_quality',
)

ASSIST_PARAMETERS = (
    ParameterSpec('kimi', 'kimi', 'name of the node that looks', read_only=True),
    ParameterSpec(
        'cameras', [''], 'camera name, one of those of kimi; several are not used', read_only=True
    ),
    ParameterSpec('mode', 'off', f'what it does: {", ".join(MODES)}; guide needs target'),
    ParameterSpec('target', '', "with mode guide, what to guide to: 'red book'"),
    ParameterSpec('language', 'en', f'spoken: {", ".join(LANGUAGES)}; a request changes it'),
    ParameterSpec('clock', False, "say directions by the clock face: two o'clock"),
    ParameterSpec('units', 'metres', f'of distances: {", ".join(UNITS)}'),
    ParameterSpec('level', 'normal', f'how much narration tells: {", ".join(LEVELS)}'),
    ParameterSpec(
        'interval',
        0.0,
        's between two sentences of narration; 0: that of the level, 5 to 3',
        (0.0, 60.0),
    ),
    ParameterSpec(
        'locate_period', 0.0, 's that kimi rests between two looks for narration', (0.0, 60.0)
    ),
    ParameterSpec(
        'hand',
        [0.0, 0.0, 0.0],
        'point that guidance brings to the thing, m in the optical frame: a hand that holds the '
        'camera; 0 0 0: the camera',
    ),
    ParameterSpec(
        'things',
        '',
        'YAML file of what narration looks for; empty: that of the package',
        read_only=True,
    ),
    ParameterSpec(
        'read_text', False, 'narration reads text in the image; needs the extra ocr', read_only=True
    ),
    *(spec for spec in KIMI_PARAMETERS if spec.name in _CAMERA),
)


def validation_error(values: Mapping[str, Any]) -> str:
    """Return why these values of ASSIST_PARAMETERS are invalid, or ''."""
    for name, choices in _CHOICES.items():
        if name in values and values[name] not in choices:
            return f'{name} must be one of {", ".join(choices)}, not {values[name]!r}'
    if values.get('mode') == 'guide' and not str(values.get('target', '')).strip():
        return 'mode guide needs target: set both at once'
    hand = list(values.get('hand', (0.0, 0.0, 0.0)))
    if len(hand) != 3 or not all(map(math.isfinite, hand)):
        return f'hand must be three numbers, x y z in metres, not {hand}'
    if len(values.get('cameras', [''])) != 1:
        return 'cameras must name one camera: start one node assist for each person'
    return ''

"""What the node `speech` reports in /diagnostics."""

from __future__ import annotations

from kimi_ros.nodes.diagnostics import Level, StatusReport
from kimi_ros.speech.listener import Listener

_CLIPPED = 0.001  # share of samples from which the level is reported


def sound_report(listener: Listener | None, problem: str, answer_seconds: float) -> StatusReport:
    """Report on the sound that is heard.

    :param listener: None while the node is not active.
    :param problem: why sound or speech does not work, or ''.
    :param answer_seconds: from the end of speech to the start of the latest answer.
    """
    answer = ('answer_seconds', f'{answer_seconds:.2f}')
    if listener is None:
        return StatusReport('sound', Level.ERROR, problem or 'not active', (answer,))
    sound = listener.level
    values = (
        *(
            (('level_dbfs', f'{sound.rms:.0f}'), ('clipped', f'{sound.clipped:.4f}'))
            if sound is not None
            else ()
        ),
        ('dropped_utterances', str(listener.dropped)),
        answer,
    )
    if problem:
        return StatusReport('sound', Level.ERROR, problem, values)
    if sound is None:
        return StatusReport('sound', Level.WARN, 'no sound yet', values)
    if sound.clipped > _CLIPPED:
        message = 'the sound is clipped: lower the gain'
        return StatusReport('sound', Level.WARN, message, values)
    if not listener.listening:
        return StatusReport('sound', Level.WARN, 'the source has ended', values)
    return StatusReport('sound', Level.OK, 'listening', values)

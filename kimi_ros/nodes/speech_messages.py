"""Between kimi_msgs and what the package speech knows."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time

from kimi_msgs.msg import Audio, Transcript
from kimi_ros.agent import Approval, Plan, Risk, Status
from kimi_ros.speech.audio import Converter, to_pcm
from kimi_ros.speech.dialogue import Outcome, PlanNotice
from kimi_ros.speech.errors import SoundError

OUTCOMES = {
    Outcome.IGNORED: Transcript.IGNORED,
    Outcome.COMMAND: Transcript.COMMAND,
    Outcome.READ_BACK: Transcript.READ_BACK,
    Outcome.ASKED_AGAIN: Transcript.ASKED_AGAIN,
    Outcome.INSTRUCTION: Transcript.INSTRUCTION,
}
"""The constants of kimi_msgs/Transcript."""


class AudioReader:
    """Turns Audio messages into 16 kHz mono; the format may change between two."""

    def __init__(self) -> None:
        self._converter: Converter | None = None

    def read(self, message: Audio) -> np.ndarray:
        """Return the message's samples as float32.

        :raises SoundError: for a rate that is not supported.
        """
        rate, channels = int(message.sample_rate), max(1, int(message.channels))
        known = self._converter
        if known is None or (known.rate, known.channels) != (rate, channels):
            known = self._converter = Converter(rate, channels)
        samples = np.frombuffer(message.data, np.int16)
        return known.convert(samples[: len(samples) // channels * channels])


def common_audio_message(message: Any) -> Audio:
    """Return a message of audio_common_msgs as one of ours.

    Two packages have that name. One has AudioStamped, which says its rate and channels; the other
    has AudioData, bytes that are taken for 16-bit PCM, 16 kHz, mono.

    :raises SoundError: for samples of another kind.
    """
    ours = Audio(sample_rate=16_000, channels=1)
    data = message
    if hasattr(message, 'audio'):
        ours.header = message.header
        data, info = message.audio, getattr(message.audio, 'info', None) or message.info
        ours.sample_rate, ours.channels = int(info.rate), int(info.channels)
        data = getattr(data, 'audio_data', data)
    if hasattr(data, 'int16_data'):
        samples = np.asarray(data.int16_data, np.int16)
        if not samples.size:
            floats = np.asarray(getattr(data, 'float32_data', ()), np.float32)
            samples = to_pcm(floats)
        if not samples.size:
            raise SoundError('audio_common_msgs: only int16 and float32 samples are read')
        ours.data = array.array('h', samples.tobytes())
    else:
        raw = bytes(data.data)
        ours.data = array.array('h', raw[: len(raw) // 2 * 2])
    return ours


def audio_message(samples: np.ndarray, rate: int, stamp: Time | None = None) -> Audio:
    """Return a mono message of float samples."""
    message = Audio(sample_rate=rate, channels=1)
    message.data = array.array('h', to_pcm(samples).tobytes())
    if stamp is not None:
        message.header.stamp = stamp
    return message


def outcome_of(message: Transcript) -> Outcome:
    """Return what the node did with a final transcript."""
    return next(outcome for outcome, number in OUTCOMES.items() if number == message.outcome)


def plan_notice(plan: Plan) -> PlanNotice:
    """Return what the dialogue needs of a plan."""
    risk = max((step.risk for step in plan.steps), default=Risk.NONE)
    return PlanNotice(
        id=plan.id,
        hash=plan.hash,
        language=plan.language,
        say=plan.say,
        details=plan_details(plan),
        pending=plan.approval is Approval.PENDING,
        low_risk=risk <= Risk.LOW,
        asks=plan.status is Status.NEEDS_CLARIFICATION,
    )


def plan_details(plan: Plan) -> str:
    """Return what 'more' says: the steps, and how far things are, rounded, where depth is valid."""
    chinese = plan.language == 'zh'
    labels = {thing.id: thing.label for thing in plan.objects}
    parts = []
    for number, step in enumerate(plan.steps, 1):
        names = '、'.join(labels.get(i, i) for i in step.object_ids)
        if chinese:
            parts.append(f'第{number}步：{step.skill.replace("_", " ")} {names}。')
        else:
            names = ' and '.join(labels.get(i, i) for i in step.object_ids)
            parts.append(
                f'Step {number}: {step.skill.replace("_", " ")} {names}.'.replace(' .', '.')
            )
    for thing in plan.objects:
        if thing.position is None or thing.position_frame != plan.frame_id:
            continue  # in the base frame a distance would not be that from the camera
        distance = float(np.linalg.norm(thing.position))
        if chinese:
            parts.append(f'{thing.label}在{distance:.1f}米远。')
        else:
            parts.append(f'The {thing.label} is {distance:.1f} metres away.')
    if plan.options:
        parts.append(('可以选：' if chinese else 'You can say: ') + '; '.join(plan.options) + '.')
    return ' '.join(parts)

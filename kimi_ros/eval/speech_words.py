"""`kimi eval speech --words`: from sound to the instruction that would be sent, without nodes.

Voice activity, recogniser and dialogue are those of the node; the plan is left out. A command is
right if its words are those that were spoken, or those read back, which a person would confirm.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np

from kimi_ros.eval.speech import Result, SoundMaker, SpokenCase, same_request
from kimi_ros.speech.dialogue import Dialogue, Instruct, Outcome
from kimi_ros.speech.matching import match
from kimi_ros.speech.recognizer import Recognizer, Transcript
from kimi_ros.speech.segmenter import Segmenter
from kimi_ros.speech.vad import BLOCK, SileroVad
from kimi_ros.speech.vocabulary import Vocabulary

_TAIL = 16_000  # samples of a quiet room after each sound


def evaluate_words(
    cases: Iterable[SpokenCase], maker: SoundMaker, recognizer: Recognizer, vocabulary: Vocabulary
) -> Iterator[Result]:
    """Yield a result for each case; `seconds` is the recogniser's time."""
    vad = SileroVad()
    for case in cases:
        vad.reset()
        began = time.perf_counter()
        heard = list(_hear(maker.sound(case), vad, recognizer, vocabulary))
        seconds = time.perf_counter() - began
        yield _judge(case, heard, vocabulary, seconds)


def _hear(
    sound: np.ndarray, vad: SileroVad, recognizer: Recognizer, vocabulary: Vocabulary
) -> Iterator[Transcript]:
    segmenter = Segmenter()
    tail = np.random.default_rng(0).normal(0, 3e-4, _TAIL).astype(np.float32)
    whole = np.concatenate([sound, tail])
    for start in range(0, len(whole) - BLOCK + 1, BLOCK):
        block = whole[start : start + BLOCK]
        if (utterance := segmenter.feed(block, vad.probability(block))) is not None:
            yield recognizer.recognize(utterance.samples, vocabulary)


def _judge(
    case: SpokenCase, heard: list[Transcript], vocabulary: Vocabulary, seconds: float
) -> Result:
    dialogue, text = Dialogue(), ' | '.join(t.text for t in heard)
    text += ''.join(f' ({t.confidence:.2f})' for t in heard)
    results = [(t, *dialogue.hear(t, vocabulary, 0.0)) for t in heard]
    read_back = any(outcome is Outcome.READ_BACK for _, outcome, _ in results)
    accepted = [o for _, o, _ in results if o in (Outcome.INSTRUCTION, Outcome.COMMAND)]
    if not case.skill:
        return Result(case, not accepted, read_back, text, seconds)
    sent = [a.text for _, _, actions in results for a in actions if isinstance(a, Instruct)]
    asked = [match(t.text, vocabulary).text for t, o, _ in results if o is Outcome.READ_BACK]
    right = any(same_request(words, case.text) for words in (*sent, *asked))
    wrong = any(not same_request(words, case.text) for words in sent)
    return Result(case, right and not wrong, read_back, text, seconds)

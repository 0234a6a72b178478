"""The photograph at the end of the demo, for models that were taught what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kimi_ros.eval.localization import LocalizationSample
from kimi_ros.eval.user_data import LabelledObject, read_user_data
from kimi_ros.vlm import VisionLanguageModel

FOLDER = Path(__file__).with_name('photograph')
# What is asked for, and the words.
_REQUESTS = {
    'en': ('mustard bottle', 'pick up the mustard bottle'),
    'zh': ('锤子', '找到锤子'),
}


@dataclass(frozen=True)
class PhotographTask:
    """A request about the photograph.

    :ivar target: where the thing that it names is.
    """

    instruction: str
    language: str
    target: LabelledObject

    def sample(self) -> LocalizationSample:
        """Return the picture, uint8 (H, W, 3), and the thing's box in its pixels."""
        return self.target.localization_sample()


def photograph_tasks(vlm: VisionLanguageModel) -> list[PhotographTask]:
    """Return a request in each language in which the model was taught to name what it shows.

    A model was taught a word if the word is one token to it: `kimi-train things` makes tokens of
    all words of the names, and what nano was not taught it spells byte by byte.
    """
    tasks = []
    for language in vlm.languages:
        name, instruction = _REQUESTS.get(language, ('', ''))
        if name and _is_taught(vlm, name, language):
            lines = read_user_data(FOLDER, 'photos', language)
            target = next(line for line in lines if line.name == name)
            tasks.append(PhotographTask(instruction, language, target))
    return tasks


def _is_taught(vlm: VisionLanguageModel, name: str, language: str) -> bool:
    if language == 'zh':
        return len(vlm.tokenizer.encode(name)) <= len(name)
    return all(len(vlm.tokenizer.encode(f' {word}')) == 1 for word in name.split())

"""Fixtures: voices of espeak-ng, Whisper-base from a package index, the skills that are shipped."""

import shutil

import numpy as np
import pytest

from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.resources import share
from kimi_ros.speech.vocabulary import Vocabulary


@pytest.fixture(scope='session')
def vocabulary():
    return Vocabulary.of(SkillCatalogue.load(share('config/skills.yaml')).skills)


@pytest.fixture(scope='session')
def speak():
    """Return 16 kHz sound of a text, with silence around it, in a voice of espeak-ng."""
    if shutil.which('espeak-ng') is None:
        pytest.skip('espeak-ng is not installed: make setup as root, or apt-get install espeak-ng')
    pytest.importorskip('soxr', reason='the extra "speech" is not installed: make setup')
    from kimi_ros.speech.audio import Converter
    from kimi_ros.speech.espeak import EspeakVoice

    def speak(text, language='en', voice='', margin=0.4):
        spoken = EspeakVoice({language: voice})
        sound = spoken.synthesize(text, language, 0.9)
        sound = Converter(spoken.rate).convert(sound, last=True)
        edge = np.zeros(int(16_000 * margin), np.float32)
        whole = np.concatenate([edge, sound, edge])
        return whole + np.random.default_rng(0).normal(0, 3e-4, len(whole)).astype(np.float32)

    return speak


@pytest.fixture(scope='session')
def whisper_folder():
    """Folder of Whisper-base, downloaded once into the user's cache, hashes pinned."""
    pytest.importorskip('faster_whisper', reason='the extra "speech" is not installed: make setup')
    import whisper_base

    try:
        return whisper_base.folder()
    except OSError as error:
        pytest.skip(f'Whisper-base cannot be had here: {error}')

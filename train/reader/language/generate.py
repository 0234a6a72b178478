"""Draws examples: instructions in English or Chinese that share a catalogue."""

from __future__ import annotations

from kimi_train.reader.language import (
    extras,
    noise,
    nouns_en,
    nouns_zh,
    patterns_en,
    patterns_zh,
)
from kimi_train.reader.language.draft import Draft
from kimi_train.reader.language.example import Example
from kimi_train.reader.language.lexicon import lexicon
from kimi_train.reader.language.marks import Marks, bare
from kimi_train.reader.language.world import World, sample_world

__all__ = ['generate']

_LANGUAGES = {
    'en': (patterns_en.English, nouns_en.Nouns, patterns_en.PATTERNS),
    'zh': (patterns_zh.Chinese, nouns_zh.Nouns, patterns_zh.PATTERNS),
}
_WEIGHTED = {
    lang: tuple(name for name, weight in patterns for _ in range(weight))
    for lang, (_, _, patterns) in _LANGUAGES.items()
}
_BARE_OUTCOMES = ('nothing', 'unclear', 'answer')


def generate(
    rng, lang: str, count: int = 24, held_out: bool | str = False, noisy: bool = True
) -> list[Example]:
    """Return examples that share one catalogue.

    :param rng: random.Random; the same state gives the same examples.
    :param lang: 'en' or 'zh'.
    :param held_out: 'nouns' or 'skills' that training never holds, True for both.
    :param noisy: with fillers, slips of the keys and the like.
    """
    world = sample_world(rng, lang, held_out in (True, 'skills'))
    part = 'held' if held_out in (True, 'nouns') else 'core' if rng.random() < 0.5 else 'train'
    examples = []
    while len(examples) < count:
        if example := _one(rng, lang, world, part, noisy):
            examples.append(example)
    return examples


def _one(rng, lang, world: World, part, noisy) -> Example | None:
    maker, nouns, _ = _LANGUAGES[lang]
    marks = Marks()
    say = maker(rng, world, nouns(rng, lexicon(lang), marks, part), marks)
    weighted = _WEIGHTED[lang]
    pattern = weighted[int(rng.random() * len(weighted))]
    draft = Draft()
    if not getattr(say, pattern)(draft) or not draft.text:
        return None
    if not draft.outcome and not all(
        act.verb for act in draft.acts if not world.resolve(act.family.name)
    ):
        return None
    text = draft.text
    if not draft.outcome:
        text = _add(rng, lang, say, draft, text)
    draft.left_out = say.left_out
    if noisy:
        text = noise.dress(rng, lang, text, draft.outcome in _BARE_OUTCOMES)
        draft.history = tuple(noise.dress(rng, lang, said) for said in draft.history)
    if len(bare(text)) > 240:
        return None
    return draft.example(lang, world, text)


def _add(rng, lang, say, draft, text):
    """Return the request with how, when, for whom or why."""
    r = rng.random()
    if r > 0.17:
        return text
    before = rng.random() < 0.45
    if r < 0.08:
        words = say.pick(extras.reasons(lang, before))
        if lang == 'zh':
            return f'{words}，{text}' if before else f'{text.rstrip("？")}，{words}'
        joint = say.pick((', ', ', so ', '. ', ', please ', ' - ', ' '))
        if words.startswith(('as ', 'since ', 'while ')):
            joint = ', '
        return (
            f'{words}{joint}{text}'
            if before
            else f'{text.rstrip("?")}{say.pick((", ", " ", ". "))}{words}'
        )
    if any(
        a['type'] in ('number', 'enum', 'string')
        for act in draft.acts
        for a in act.family.arguments
    ):
        return text
    words = say.pick(extras.left_out(lang, before))
    number, marked = say.marks(words.strip(',，'))
    marked = words.replace(words.strip(',，'), marked)
    say.left_out.append(number)
    if lang == 'zh':
        if not before:
            return text.rstrip('？') + marked
        if text[0] in '能可你请麻帮' or draft.acts[0].condition or not say.plain(text):
            say.left_out.pop()
            return text
        return marked + text
    if before and text[0] >= '\ue000':
        return f'{marked} {text}'
    if before:
        say.left_out.pop()
        return text
    end = '?' if text.endswith('?') else ''
    return f'{text.rstrip("?")} {marked}{end}'

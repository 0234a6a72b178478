"""Generates training examples: instructions that share a skill catalogue."""

from __future__ import annotations

from kimi_train.reader.language import (
    adverbials,
    augmentation,
    noun_phrases_en,
    noun_phrases_zh,
)
from kimi_train.reader.language.annotated_instruction import AnnotatedInstruction
from kimi_train.reader.language.catalogue import SkillCatalogue
from kimi_train.reader.language.catalogue_sampling import sample_catalogue
from kimi_train.reader.language.chinese import ChineseGenerator
from kimi_train.reader.language.english import EnglishGenerator
from kimi_train.reader.language.everyday_shapes import EVERYDAY_SHAPES
from kimi_train.reader.language.example import Example
from kimi_train.reader.language.lexicon import lexicon
from kimi_train.reader.language.patterns import PATTERNS
from kimi_train.reader.language.service_tasks import SERVICE_TASKS
from kimi_train.reader.language.situations import SITUATIONS
from kimi_train.reader.language.span_markers import SpanMarkers, closing_marker, remove_markers
from kimi_train.reader.language.spoken_shapes import SPOKEN_SHAPES

__all__ = ['generate']

_LANGUAGES = {
    'en': (EnglishGenerator, noun_phrases_en.NounPhraseGenerator),
    'zh': (ChineseGenerator, noun_phrases_zh.NounPhraseGenerator),
}
_WEIGHTED = tuple(
    name
    for name, weight in (
        *PATTERNS,
        *SITUATIONS,
        *SERVICE_TASKS,
        *SPOKEN_SHAPES,
        *EVERYDAY_SHAPES,
    )
    for _ in range(weight)
)
_REASON_NOUNS = (('{n}', ('any',)), ('{name}', ('name',)), ('{food}', ('food',)))
_BARE_OUTCOMES = ('nothing', 'unclear', 'answer')


def generate(
    rng, lang: str, count: int = 24, held_out: bool | str = False, noisy: bool = True
) -> list[Example]:
    """Return examples that share one catalogue.

    :param rng: random.Random; the same state gives the same examples.
    :param lang: 'en' or 'zh'.
    :param held_out: use held-out 'nouns' or 'skills', True for both.
    :param noisy: with fillers, typing errors and the like.
    """
    catalogue = sample_catalogue(rng, lang, held_out in (True, 'skills'))
    split = 'held_out' if held_out in (True, 'nouns') else 'core' if rng.random() < 0.5 else 'train'
    examples = []
    while len(examples) < count:
        if example := _sample_example(rng, lang, catalogue, split, noisy):
            examples.append(example)
    return examples


def _sample_example(rng, lang, catalogue: SkillCatalogue, split, noisy) -> Example | None:
    generator_class, noun_phrases = _LANGUAGES[lang]
    mark = SpanMarkers()
    generator = generator_class(rng, catalogue, noun_phrases(rng, lexicon(lang), mark, split), mark)
    pattern = _WEIGHTED[int(rng.random() * len(_WEIGHTED))]
    instruction = AnnotatedInstruction()
    if not getattr(generator, pattern)(instruction) or not instruction.text:
        return None
    if not instruction.outcome and not all(
        call.verb for call in instruction.calls if not catalogue.resolve(call.family.name)
    ):
        return None
    text = instruction.text
    if not instruction.outcome:
        text = _add_adverbial(rng, lang, generator, instruction, text)
    instruction.left_out = generator.left_out
    if noisy:
        text = augmentation.add_noise(rng, lang, text, instruction.outcome in _BARE_OUTCOMES)
        instruction.history = tuple(
            augmentation.add_noise(rng, lang, wording) for wording in instruction.history
        )
    if len(remove_markers(text)) > 240:
        return None
    return instruction.to_example(lang, catalogue, text)


def _add_adverbial(rng, lang, generator, instruction, text):
    """Return the request with an adverbial or a reason."""
    r = rng.random()
    if r > 0.21:
        return text
    before = rng.random() < 0.45
    if r < 0.12:
        words = generator.choose(adverbials.reasons(lang, before))
        for slot, noun_classes in _REASON_NOUNS:
            words = generator.noun_phrases.with_nouns(words, slot, noun_classes)
        if before and rng.random() < 0.25:
            return _insert_reason(generator, instruction, text, words)
        if lang == 'zh':
            return f'{words}，{text}' if before else f'{text.rstrip("？")}，{words}'
        connector = generator.choose((', ', ', so ', '. ', ', please ', ' - ', ' '))
        if words.startswith(('as ', 'since ', 'while ')):
            connector = ', '
        return (
            f'{words}{connector}{text}'
            if before
            else f'{text.rstrip("?")}{generator.choose((", ", " ", ". "))}{words}'
        )
    if any(
        a['type'] in ('number', 'enum', 'string')
        for call in instruction.calls
        for a in call.family.arguments
    ):
        return text
    words = generator.choose(adverbials.left_out_adverbials(lang, before))
    number, marked = generator.mark(words.strip(',，'))
    marked = words.replace(words.strip(',，'), marked)
    generator.left_out.append(number)
    if lang == 'zh':
        if not before:
            return text.rstrip('？') + marked
        if (
            text[0] in '能可你请麻帮'
            or instruction.calls[0].condition
            or not generator.accepts_adverbial(text)
        ):
            generator.left_out.pop()
            return text
        return marked + text
    if before and text[0] >= '\ue000':
        return f'{marked} {text}'
    if before:
        generator.left_out.pop()
        return text
    end = '?' if text.endswith('?') else ''
    return f'{text.rstrip("?")} {marked}{end}'


def _insert_reason(generator, instruction, text, words):
    """Return the request with a reason after its first object, if more follows there.

    "Cover my uncle, he is cold, with the blanket."
    """
    phrases = next(iter(instruction.calls[0].phrases.values()), None)
    closing = phrases and closing_marker(phrases[0].words)
    if not closing or closing not in text or words.startswith(('as ', 'since ', 'while ')):
        return text
    at = text.index(closing) + 1
    front, rest = text[:at], text[at:]
    if generator.lang == 'zh':
        return f'{front}，{words}，{rest}' if len(remove_markers(rest)) > 2 else text
    if not rest.startswith(' ') or len(rest) < 8:
        return text
    left, right = generator.choose(
        ((', ', ','), (', ', ','), (' - ', ' -'), (' (', ')'), (' ', ''))
    )
    return f'{front}{left}{words}{right}{rest}'
